package integration

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
)

// client is an HTTP client of somebody else with an [apigw.Transport] in it.
type client struct {
	name    string
	inject  string // the code that puts the Transport in
	reached string // how its caller gets at the decoded error

	// How the client's own retries are switched off and on. An empty off says
	// that it has none, an empty on that they are on as shipped.
	off, on string

	// call makes one request to the path /v1/weather of the gateway. It
	// returns the decoded error as a program would get at it, nil if there is
	// none, and the error that the client itself returned.
	call func(c call) (*apigw.Error, error)

	// backend answers what the client understands. If nil, the fake gateway
	// echoes the request as JSON.
	backend http.Handler
}

// call is what a client gets for one request.
type call struct {
	ctx       context.Context
	t         *testing.T
	transport *apigw.Transport
	host      string // of the gateway, with its port
	url       string // the path on it, with a query
	retries   retries
}

// retries is the setting of the client's own retries. Where they are on there
// are three attempts, or as many as the client makes as shipped, and only the
// delays between them are shortened.
type retries uint8

const (
	asShipped retries = iota
	switchedOff
	switchedOn
)

// clients are all that have been tried, in the order of RESULTS.md.
var clients = []client{
	netHTTP, netHTTPTimeout, netHTTPDefaultClient, netHTTPDefaultTransport, oauth2Client, otelOutside, otelInside,
	restyClient, retryablePackage, retryableClient, alibabaCloudClient,
	teaClient, ossClient, oapiClient, openapiClient, awsClient,
}

// rig is a fake gateway on a real socket, whose main route follows a script,
// and the Transport that leads there.
type rig struct {
	t         *testing.T
	gateway   *gatewaytest.Gateway
	server    *gatewaytest.Server
	transport *apigw.Transport
}

func newRig(t *testing.T, backend http.Handler, script ...gatewaytest.Outcome) *rig {
	t.Helper()
	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{
		{Pattern: "/", Auth: gatewaytest.AuthNone, Script: script, Backend: backend},
		{Pattern: "/token", Auth: gatewaytest.AuthNone, Backend: http.HandlerFunc(giveToken)},
	}}
	s := gatewaytest.NewServer(g)
	t.Cleanup(s.Close)
	base := s.Transport()
	t.Cleanup(base.CloseIdleConnections)
	return &rig{t, g, s, &apigw.Transport{
		Base:   base,
		Policy: apigw.RetryPolicy{InitialBackoff: time.Millisecond, MaxBackoff: time.Millisecond},
		// The tests count what clients and Transport would do without it.
		Budget: &apigw.RetryBudget{Unlimited: true},
	}}
}

// run makes one request and returns how many attempts arrived for it.
func (r *rig) run(c client, setting retries) (decoded *apigw.Error, recorder *apigw.Recorder, attempts int, err error) {
	r.t.Helper()
	ctx, recorder := apigw.WithRecorder(r.t.Context())
	before := r.weather().Received
	decoded, err = c.call(call{
		ctx: ctx, t: r.t, transport: r.transport, retries: setting,
		host: r.server.Listener.Addr().String(), url: r.server.URL + "/v1/weather?city=hz",
	})
	return decoded, recorder, r.weather().Received - before, err
}

// weather counts what did not go to the token endpoint.
func (r *rig) weather() gatewaytest.Counts { return r.gateway.RouteCounts("/") }

// ourAttempts is what the default policy makes of a failure that stays.
const ourAttempts = 4

// TestClients runs every client through the same four situations and compares
// what came out with RESULTS.md.
func TestClients(t *testing.T) {
	var rows []row
	for _, c := range clients {
		t.Run(c.name, func(t *testing.T) {
			r := row{client: c}
			t.Run("quota", func(t *testing.T) { r.quota = testQuota(t, c) })
			t.Run("503", func(t *testing.T) { r.unavailable = testUnavailable(t, c) })
			t.Run("outage", func(t *testing.T) { r.retries = testOutage(t, c) })
			t.Run("no response", func(t *testing.T) { testNoResponse(t, c) })
			if !t.Failed() {
				rows = append(rows, r)
			}
		})
	}
	if len(rows) == len(clients) {
		compareResults(t, rows)
	}
}

// testQuota: a spent quota is sent once, and the caller learns what it was.
func testQuota(t *testing.T, c client) string {
	r := newRig(t, c.backend, gatewaytest.Outcome{Error: "classic.quota-exhausted", Times: -1})
	decoded, _, attempts, _ := r.run(c, asShipped)
	if attempts != 1 {
		t.Errorf("attempts: got %d, want 1", attempts)
	}
	if decoded == nil {
		t.Fatal("got no decoded error, want one")
	}
	if !errors.Is(decoded, apigw.ErrQuota) {
		t.Errorf("decoded error: got %v, want one that is ErrQuota", decoded)
	}
	return fmt.Sprintf("%d attempt", attempts)
}

// testUnavailable: two times 503, then service. Nobody above notices.
func testUnavailable(t *testing.T, c client) string {
	r := newRig(t, c.backend, gatewaytest.Outcome{Error: "D504CO", Times: 2})
	decoded, _, attempts, err := r.run(c, switchedOff)
	if err != nil || decoded != nil {
		t.Errorf("got %v, decoded %v; want a success", err, decoded)
	}
	if got := r.weather(); got.Received != 3 || got.Executed != 1 {
		t.Errorf("got %+v, want 3 received and 1 executed", got)
	}
	return fmt.Sprintf("survived, %d attempts", attempts)
}

// testOutage: 503 for ever. The attempts of client and Transport multiply,
// OnDone reports it, and either can be switched off.
func testOutage(t *testing.T, c client) string {
	outage := gatewaytest.Outcome{Error: "D504CO", Times: -1}
	count := func(setting retries, ours int) int {
		t.Helper()
		r := newRig(t, c.backend, outage)
		r.transport.Policy.MaxAttempts = ours
		done := 0 // calls of the Transport, as a program could log them
		r.transport.OnDone = func(_ *http.Request, result apigw.Result) {
			if result.Err != nil { // no token
				done++
			}
		}
		_, _, attempts, _ := r.run(c, setting)
		if attempts != ours*done {
			t.Errorf("setting %d: got %d attempts, want %d of each of the %d round trips that OnDone saw",
				setting, attempts, ours, done)
		}
		return attempts
	}

	shipped := count(asShipped, ourAttempts)
	if c.off == "" {
		if shipped != ourAttempts {
			t.Errorf("attempts: got %d, want %d, since the client has no retries", shipped, ourAttempts)
		}
		return fmt.Sprintf("none; %d attempts in an outage", shipped)
	}
	if got := count(switchedOff, ourAttempts); got != ourAttempts {
		t.Errorf("attempts with the client's retries off: got %d, want %d", got, ourAttempts)
	}
	if c.on == "" {
		theirs := count(asShipped, 1)
		if theirs < 2 || shipped != ourAttempts*theirs {
			t.Errorf("attempts: got %d as shipped and %d with ours off, want %d times as many", shipped, theirs,
				ourAttempts)
		}
		return fmt.Sprintf("**on**: %d × %d = %d attempts in an outage; theirs off, `%s`: %d; ours off, `MaxAttempts: 1`: %d",
			theirs, ourAttempts, shipped, c.off, ourAttempts, theirs)
	}
	if shipped != ourAttempts {
		t.Errorf("attempts as shipped: got %d, want %d, since the client's retries are off", shipped, ourAttempts)
	}
	both, theirs := count(switchedOn, ourAttempts), count(switchedOn, 1)
	if theirs < 2 || both != ourAttempts*theirs {
		t.Errorf("attempts: got %d with retries on and %d with ours off, want %d times as many", both, theirs,
			ourAttempts)
	}
	return fmt.Sprintf("off: %d attempts in an outage; with `%s` %d × %d = %d; ours off, `MaxAttempts: 1`: %d",
		shipped, c.on, theirs, ourAttempts, both, theirs)
}

// testNoResponse: the connection ends without an answer. The error of every
// client has the Transport's in its chain.
func testNoResponse(t *testing.T, c client) {
	r := newRig(t, c.backend, gatewaytest.Outcome{Drop: gatewaytest.DropOnArrival, Times: -1})
	_, _, _, err := r.run(c, switchedOff)
	gwErr, ok := errors.AsType[*apigw.Error](err)
	if !ok {
		t.Fatalf("got %T %v, want an *apigw.Error in its chain", err, err)
	}
	if gwErr.Origin != apigw.OriginNone || len(gwErr.Attempts) == 0 {
		t.Errorf("got %+v, want an error without a response that lists its attempts", gwErr)
	}
}

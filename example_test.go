package apigw_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// The examples call https://api.example.com. pretend puts a fake gateway with
// these routes there, for all that sends through http.DefaultTransport.
func pretend(routes ...gatewaytest.Route) (gateway *gatewaytest.Gateway, end func()) {
	gateway = &gatewaytest.Gateway{Routes: routes}
	server := gatewaytest.NewMemoryServer(gateway)
	original := http.DefaultTransport
	http.DefaultTransport = toGateway{server.Transport()}
	log.SetOutput(os.Stdout)
	log.SetFlags(0)
	return gateway, func() {
		http.DefaultTransport = original
		server.Close()
		log.SetOutput(os.Stderr)
		log.SetFlags(log.LstdFlags)
	}
}

// toGateway leaves TLS out and gives every response the same request id, which
// would be random.
type toGateway struct{ base http.RoundTripper }

func (g toGateway) RoundTrip(req *http.Request) (*http.Response, error) {
	plain := req.Clone(req.Context())
	plain.URL.Scheme = "http"
	resp, err := g.base.RoundTrip(plain)
	if err == nil {
		resp.Header.Set("X-Ca-Request-Id", "4D1C0C6E")
	}
	return resp, err
}

// soon is a policy whose delays do not slow the examples down.
var soon = apigw.RetryPolicy{InitialBackoff: time.Millisecond}

func askForWeather() error {
	client := &http.Client{Transport: &apigw.Transport{}} // the zero value works
	resp, err := client.Get("https://api.example.com/v1/weather?city=hz")
	if err != nil {
		return err // no response at all
	}
	defer resp.Body.Close()
	if gwErr, ok := apigw.FromResponse(resp); ok { // decoded, whatever wrapped the response since
		switch {
		case errors.Is(gwErr, apigw.ErrThrottled): // slow down
		case errors.Is(gwErr, apigw.ErrQuota): // buy more calls
		}
		log.Print(gwErr) // code, meaning, what to do, request id, attempts, why no further one
	}
	return nil
}

func Example() {
	_, end := pretend(gatewaytest.Route{
		Pattern: "/v1/weather", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "B403MQ"}},
	})
	defer end()

	if err := askForWeather(); err != nil {
		log.Print(err)
	}
	// Output:
	// apigw: B403MQ 403 Api Market Subscription quota exhausted: the marketplace call package is used up; buy more calls; request id 4D1C0C6E; GET api.example.com/v1/weather; 1 attempt, no further one: another attempt cannot help
}

// Sign below the Transport, so that each attempt carries a nonce, a timestamp
// and a signature of its own.
func Example_signing() {
	gateway, end := pretend(gatewaytest.Route{
		Pattern: "POST /v1/orders", Auth: gatewaytest.AuthSignature,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}},
	})
	defer end()
	os.Setenv("APIGW_APP_SECRET", gatewaytest.DefaultAppSecret)
	defer os.Unsetenv("APIGW_APP_SECRET")

	client := &http.Client{Transport: &apigw.Transport{
		Base: &signer.Signer{
			AppKey:    "203753385",
			AppSecret: signer.Secret(os.Getenv("APIGW_APP_SECRET")),
			Hosts:     []string{"api.example.com"}, // nobody else sees the credentials
		},
	}}
	resp, err := client.Post("https://api.example.com/v1/orders", "application/json", strings.NewReader(`{"item":7}`))
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()

	requests := gateway.Log()
	fmt.Println(resp.Status)
	fmt.Println("attempts:", len(requests))
	fmt.Println("same nonce:", requests[0].Nonce == requests[1].Nonce)
	// Output:
	// 200 OK
	// attempts: 2
	// same nonce: false
}

// An SDK that signs by itself does so above the Transport. Then the signer
// renews the signature before each retry.
func ExampleTransport_prepareRetry() {
	_, end := pretend(gatewaytest.Route{
		Pattern: "/v1/weather", Auth: gatewaytest.AuthSignature,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}},
	})
	defer end()

	os.Setenv("APIGW_APP_SECRET", gatewaytest.DefaultAppSecret)
	defer os.Unsetenv("APIGW_APP_SECRET")

	s := &signer.Signer{ // the credentials of the SDK
		AppKey:    "203753385",
		AppSecret: signer.Secret(os.Getenv("APIGW_APP_SECRET")),
		Hosts:     []string{"api.example.com"},
	}
	client := &http.Client{Transport: &apigw.Transport{
		PrepareRetry: s.Sign, // a new nonce, timestamp and signature for each retry
	}}
	req, err := http.NewRequest(http.MethodGet, "https://api.example.com/v1/weather", nil)
	if err != nil {
		log.Print(err)
		return
	}
	if err := s.Sign(req); err != nil { // what the SDK does
		log.Print(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// 200 OK
}

// A refused signature says which part the gateway read differently.
func Example_refusedSignature() {
	_, end := pretend(gatewaytest.Route{Pattern: "/", Auth: gatewaytest.AuthSignature})
	defer end()

	client := &http.Client{Transport: &apigw.Transport{Base: &signer.Signer{
		AppKey: "203753385", AppSecret: "not the secret", Hosts: []string{"api.example.com"},
	}}}
	resp, err := client.Get("https://api.example.com/v1/weather")
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	if d, ok := signer.FromResponse(resp); ok {
		log.Print(d) // one line, without values
	}
	// Output:
	// signature refused: both sides have the same string, so the keys differ: AppSecret is wrong, or it is that of another AppKey or environment, or has a blank or newline around it; copy AppSecret again from the application that X-Ca-Key names, and check that both sides use the same algorithm
}

// An AppCode needs no signature.
func Example_appCode() {
	_, end := pretend(gatewaytest.Route{Pattern: "/", Auth: gatewaytest.AuthAppCode})
	defer end()
	os.Setenv("APIGW_APP_CODE", gatewaytest.DefaultAppCode)
	defer os.Unsetenv("APIGW_APP_CODE")

	client := &http.Client{Transport: &apigw.Transport{
		Base: &signer.Signer{
			AppCode: signer.Secret(os.Getenv("APIGW_APP_CODE")),
			Hosts:   []string{"api.example.com"},
		},
	}}
	resp, err := client.Get("https://api.example.com/v1/weather")
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.Status)
	// Output:
	// 200 OK
}

// Where there is no response, the error says how often it was tried and why no
// more.
func ExampleError() {
	_, end := pretend(gatewaytest.Route{
		Pattern: "POST /v1/orders", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Drop: gatewaytest.DropAfterBackend}},
	})
	defer end()

	client := &http.Client{Transport: &apigw.Transport{}}
	_, err := client.Post("https://api.example.com/v1/orders", "application/json", strings.NewReader(`{"item":7}`))
	var gwErr *apigw.Error
	if errors.As(err, &gwErr) {
		fmt.Println(gwErr.Stop, len(gwErr.Attempts), gwErr.Reached)
	}
	// Output:
	// may-have-run 1 maybe
}

// A policy for one request goes into its context.
func ExampleWithPolicy() {
	gateway, end := pretend(gatewaytest.Route{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "D504CO", Times: -1}},
	})
	defer end()
	client := &http.Client{Transport: &apigw.Transport{}}

	ctx := apigw.WithPolicy(context.Background(), apigw.RetryPolicy{MaxAttempts: 1})
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/health", nil)
	if err != nil {
		log.Print(err)
		return
	}
	resp, err := client.Do(req)
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode, "after", gateway.Counts().Received, "attempt")
	// Output:
	// 504 after 1 attempt
}

// decoded runs a call of an SDK. If it fails because of the gateway, the gateway's error takes the place of the SDK's.
func decoded(ctx context.Context, call func(context.Context) error) error {
	ctx, recorder := apigw.WithRecorder(ctx)
	err := call(ctx)
	if gwErr, ok := recorder.Last(); ok && err != nil {
		return gwErr
	}
	return err
}

// SDKs that hide the *http.Response report through the context.
func ExampleWithRecorder() {
	_, end := pretend(gatewaytest.Route{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "classic.quota-exhausted"}},
	})
	defer end()
	sdk := weatherSDK{&http.Client{Transport: &apigw.Transport{}}}

	err := decoded(context.Background(), sdk.Weather)
	fmt.Println(errors.Is(err, apigw.ErrQuota))
	// Output:
	// true
}

// weatherSDK stands for a generated client: it returns an error of its own.
type weatherSDK struct{ client *http.Client }

func (s weatherSDK) Weather(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example.com/v1/weather", nil)
	if err != nil {
		return err
	}
	resp, err := s.client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		return err
	}
	if resp.StatusCode >= 400 {
		return errors.New("weather: request failed")
	}
	return nil
}

// Hooks see every attempt, every delay and every end.
func ExampleTransport_hooks() {
	_, end := pretend(gatewaytest.Route{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}},
	})
	defer end()

	transport := &apigw.Transport{
		OnAttempt: func(req *http.Request, a apigw.Attempt) {
			fmt.Println("attempt", a.Number, a.Status)
		},
		OnDone: func(req *http.Request, r apigw.Result) {
			fmt.Println("done", r.Status, r.Err == nil)
		},
	}
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/weather")
	if err != nil {
		log.Print(err)
		return
	}
	resp.Body.Close()
	// Output:
	// attempt 1 504
	// attempt 2 200
	// done 200 true
}

func ExampleTransport_logger() {
	_, end := pretend(gatewaytest.Route{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}},
	})
	defer end()

	transport := &apigw.Transport{Slog: slog.Default()} // or Logger: zap.L()
	// For the example: only what is more than info, since that has times in it.
	transport.Slog = slog.New(slog.NewTextHandler(os.Stdout, &slog.HandlerOptions{Level: slog.LevelWarn}))
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/weather")
	if err != nil {
		log.Print(err)
		return
	}
	resp.Body.Close()
	fmt.Println("a request that a retry saved is logged at info: nothing here")
	// Output:
	// a request that a retry saved is logged at info: nothing here
}

// What the budget knows of each host.
func ExampleTransport_Budgets() {
	_, end := pretend(gatewaytest.Route{Pattern: "/", Auth: gatewaytest.AuthNone})
	defer end()
	transport := &apigw.Transport{}
	resp, err := (&http.Client{Transport: transport}).Get("https://api.example.com/v1/weather")
	if err != nil {
		log.Print(err)
		return
	}
	resp.Body.Close()

	for _, s := range transport.Budgets() {
		fmt.Println(s.Host, s.Requests, s.Retries, s.Available, s.Denied)
	}
	// Output:
	// api.example.com 1 0 10 0
}

// A script says what goes wrong, and when; the gateway counts what came of it.
func Example_gatewaytest() {
	gateway := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "POST /orders",
		Auth:    gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{
			{Error: "D504CO"},                    // not reached: retried
			{Drop: gatewaytest.DropAfterBackend}, // has run: not retried
			{Error: "classic.failed-to-invoke-backend"},
		},
	}}}
	server := gatewaytest.NewServer(gateway)
	defer server.Close()

	client := &http.Client{Transport: &apigw.Transport{Base: server.Transport(), Policy: soon}}
	_, err := client.Post(server.URL+"/orders", "application/json", strings.NewReader(`{"item":7}`))
	var gwErr *apigw.Error
	if errors.As(err, &gwErr) {
		fmt.Println(gwErr.Stop)
	}
	counts := gateway.Counts()
	fmt.Println(counts.Received, "received,", counts.Executed, "executed")
	// Output:
	// may-have-run
	// 2 received, 1 executed
}

// The client closes idle connections before the server does, so that no POST
// dies on one.
func Example_idleConnections() {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.IdleConnTimeout = 10 * time.Second // less than any server on the way
	client := &http.Client{Transport: &apigw.Transport{Base: base}}

	_ = client
}

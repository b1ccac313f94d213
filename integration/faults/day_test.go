package faults

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// phase is a part of the day of TestDay, with what must come of its last hour.
type phase struct {
	name    string
	hours   int
	gateway gatewaytest.Route
	ahead   time.Duration // the gateway's clock
	outage  bool          // a backend that answers 503

	// Calls of the last hour that succeed, at least and at most. Those that
	// wait at its end count.
	success  [2]int
	attempts int // of the last hour, that arrive, at most
}

// callEvery is the demand: 1800 calls an hour.
const callEvery = 2 * time.Second

func perMinute(n int) gatewaytest.Route {
	return gatewaytest.Route{Limit: gatewaytest.Limit{Calls: n, Window: time.Minute, Kind: gatewaytest.AlignedWindow}}
}

var phases = []phase{
	{name: "quiet", hours: 3, gateway: perMinute(600), success: [2]int{1800, 1800}, attempts: 1800},
	// The budget: a tenth of the calls, and a retry in ten seconds.
	{name: "outage", hours: 2, gateway: perMinute(600), outage: true, attempts: 1800 + 180 + 370},
	{name: "half of the demand", hours: 4, gateway: perMinute(15), success: [2]int{850, 915}, attempts: 920},
	{name: "clock ahead", hours: 2, gateway: perMinute(15), ahead: 20 * time.Minute,
		success: [2]int{850, 915}, attempts: 920},
	{name: "outage under the limit", hours: 1, gateway: perMinute(15), outage: true, attempts: 920},
	{name: "limit raised", hours: 4, gateway: perMinute(45), success: [2]int{1795, 1800}, attempts: 1805},
	{name: "clock behind", hours: 2, gateway: perMinute(45), ahead: -30 * time.Minute,
		success: [2]int{1795, 1800}, attempts: 1805},
	{name: "quota used up", hours: 1, gateway: gatewaytest.Route{Quota: &gatewaytest.Quota{Expires: time.Unix(1, 0)}},
		attempts: 1805},
	{name: "outage", hours: 2, gateway: perMinute(600), outage: true, attempts: 1800 + 180 + 370},
	{name: "quiet again", hours: 3, gateway: perMinute(600), success: [2]int{1800, 1800}, attempts: 1800},
}

// theDay is what is counted on the way.
type theDay struct {
	base http.RoundTripper

	mu       sync.Mutex
	nonces   map[string]bool
	twice    int
	arrived  int
	success  int
	executed map[string]int // by the number of a call, POST only
}

// RoundTrip is between signer and gateway.
func (d *theDay) RoundTrip(r *http.Request) (*http.Response, error) {
	d.mu.Lock()
	nonce := r.Header.Get("X-Ca-Nonce")
	if d.nonces[nonce] {
		d.twice++
	}
	d.nonces[nonce] = true
	d.arrived++
	base := d.base
	d.mu.Unlock()
	return base.RoundTrip(r)
}

// TestDay: through outages, limits that change, clocks that jump and a quota that
// ends, on fake time, nothing drifts: the last hour of a phase comes to what that
// phase alone explains.
func TestDay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := &theDay{nonces: map[string]bool{}, executed: map[string]int{}}
		budget, pacer := &apigw.RetryBudget{}, &apigw.Pacer{}
		s := &signer.Signer{
			AppKey: gatewaytest.DefaultAppKey, AppSecret: gatewaytest.DefaultAppSecret,
			Hosts: []string{"api.example.com"}, LearnOverPlainHTTP: true, Base: d,
		}
		tr := &apigw.Transport{
			Base: s, Limiter: pacer, Budget: budget, Policy: apigw.RetryPolicy{MaxThrottleWait: time.Minute},
		}
		for _, p := range phases {
			d.live(t, p, tr)
			time.Sleep(10 * time.Minute) // until nothing is left of what was paid
			for _, b := range budget.States() {
				if b.Available != 10 || b.Requests != 0 || b.Retries != 0 {
					t.Errorf("%s: got %+v, want a budget as good as new", p.name, b)
				}
			}
			t.Logf("%s: %+v %+v", p.name, pacer.States(), s.Learned())
			for _, l := range s.Learned() {
				if p.ahead != 0 && (l.ClockOffset-p.ahead).Abs() > 2*time.Second {
					t.Errorf("%s: got an offset of %v, want %v", p.name, l.ClockOffset, p.ahead)
				}
			}
		}
		if d.twice != 0 {
			t.Errorf("%d nonces came twice", d.twice)
		}
		for id, n := range d.executed {
			if n > 1 {
				t.Errorf("POST %s ran %d times", id, n)
			}
		}
	})
}

// live makes the calls of a phase and checks its last hour.
func (d *theDay) live(t *testing.T, p phase, tr *apigw.Transport) {
	p.gateway.Pattern, p.gateway.Auth = "/", gatewaytest.AuthSignature
	p.gateway.Backend = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if id := r.Header.Get("X-Test-Request"); r.Method == http.MethodPost {
			d.mu.Lock()
			d.executed[id]++
			d.mu.Unlock()
		}
		if p.outage {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	server := gatewaytest.NewMemoryServer(&gatewaytest.Gateway{
		Now: func() time.Time { return time.Now().Add(p.ahead) }, Routes: []gatewaytest.Route{p.gateway}, LogLength: 1,
	})
	base := server.Transport()
	d.base = base
	var calls sync.WaitGroup
	perHour := int(time.Hour / callEvery)
	for i := range p.hours * perHour {
		if i == (p.hours-1)*perHour {
			synctest.Wait()
			d.mu.Lock()
			d.arrived, d.success = 0, 0
			d.mu.Unlock()
		}
		calls.Go(func() { d.call(t, p, tr) })
		time.Sleep(callEvery)
	}
	calls.Wait()
	base.CloseIdleConnections()
	server.Close()
	if d.success < p.success[0] || d.success > p.success[1] || d.arrived > p.attempts {
		t.Errorf("%s: %d of %d calls succeeded, %d attempts arrived; want %v, at most %d",
			p.name, d.success, perHour, d.arrived, p.success, p.attempts)
	}
}

func (d *theDay) call(t *testing.T, p phase, tr *apigw.Transport) {
	d.mu.Lock()
	id := len(d.nonces) // grows with every attempt
	d.mu.Unlock()
	method := []string{http.MethodGet, http.MethodPost}[id%2]
	req, err := http.NewRequestWithContext(context.Background(), method, "http://api.example.com/v1/orders", nil)
	if err != nil {
		t.Error(err)
		return
	}
	req.Header.Set("X-Test-Request", strconv.Itoa(id)+method+time.Now().String())
	resp, err := tr.RoundTrip(req)
	if err != nil {
		if e, ok := errors.AsType[*apigw.Error](err); !ok || e.Stop != apigw.StopPaced {
			t.Errorf("%s: %v", p.name, err)
		}
		return
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
	d.mu.Lock()
	defer d.mu.Unlock()
	e, failed := apigw.FromResponse(resp)
	switch {
	case !failed:
		d.success++
	case e.Entry.Class == catalog.ClassReplay, errors.Is(e, apigw.ErrSignature):
		t.Errorf("%s: %v", p.name, e)
	}
}

package apigw

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

var (
	walks    = flag.Int("walks", 3000, "how many random walks TestWalks makes")
	walkSeed = flag.Uint64("walkseed", 0, "the only walk that TestWalks makes, and it tells its story")
)

// walk is one call through a Transport over a world.
type walk struct {
	world *walkWorld
	tr    *Transport
	req   *http.Request
	// The bodies that the caller gave, and whether a hook of its own panicked.
	bodies []*walkBody
	hooked bool
	// May the backend run twice?
	permitted bool
	limit     time.Duration // the call must have ended by then
}

// TestWalks: whatever Base, bodies, hooks and contexts do, no POST runs twice,
// none that ran is said not to have been reached, nothing hangs, nothing leaks.
func TestWalks(t *testing.T) {
	const perBubble = 50 // a leak shows at the end of the bubble
	first, n := uint64(1), uint64(*walks)
	if *walkSeed != 0 {
		first, n = *walkSeed, 1
	}
	for seed := first; seed < first+n && !t.Failed(); seed += perBubble {
		synctest.Test(t, func(t *testing.T) {
			for s := seed; s < min(seed+perBubble, first+n) && !t.Failed(); s++ {
				takeWalk(t, s)
			}
		})
	}
}

func takeWalk(t *testing.T, seed uint64) {
	w := &walkWorld{
		random: rand.New(rand.NewPCG(seed, 7)),
		over:   make(chan struct{}),
		nonces: map[string]int{},
		given:  map[*http.Response]*walkBody{},
	}
	k := newWalk(w)
	if k.tr.Base = w; w.chance(30) {
		k.tr.Base = signingWorld{w}
	}
	ctx, stop := k.context()
	defer stop()
	k.req = k.req.WithContext(ctx)
	before := k.req.Header.Clone()

	start := time.Now()
	if limit := k.tr.Policy.MaxElapsed; limit > 0 {
		w.latest = start.Add(limit)
	}
	if deadline, ok := ctx.Deadline(); ok && (w.latest.IsZero() || deadline.Before(w.latest)) {
		w.latest = deadline
	}
	resp, err, panicked := k.roundTrip()
	took := time.Since(start)

	if took > k.limit {
		w.fault("it took %v, want at most %v", took, k.limit)
	}
	if !panicked {
		k.checkOutcome(resp, err)
	} else if resp != nil || err != nil {
		w.fault("a panic and %v, %v", resp, err)
	}
	if w.sent == 0 && !headersEqual(k.req.Header, before) {
		w.fault("the caller's header became %v", k.req.Header)
	}
	if resp != nil {
		k.readResponse(resp)
	}
	stop()
	close(w.over)
	time.Sleep(time.Hour) // all that drips has its end
	synctest.Wait()
	k.checkBodies(panicked)
	if w.ran > 1 && !k.permitted {
		w.fault("the backend ran %d times", w.ran)
	}
	if len(w.faults) > 0 || *walkSeed != 0 {
		t.Logf("walk %d: %s %v\n  %s", seed, k.req.Method, k.req.Header, strings.Join(w.story, "\n  "))
	}
	for _, f := range w.faults {
		t.Errorf("walk %d (-walkseed=%d): %s", seed, seed, f)
	}
}

func headersEqual(a, b http.Header) bool { return fmt.Sprint(a) == fmt.Sprint(b) }

func (k *walk) roundTrip() (resp *http.Response, err error, panicked bool) {
	defer func() {
		if p := recover(); p != nil {
			if p != errWalkPanic {
				panic(p)
			}
			panicked = true
		}
	}()
	resp, err = k.tr.RoundTrip(k.req)
	return resp, err, false
}

// newWalk chooses request, policy and hooks.
func newWalk(w *walkWorld) *walk {
	k := &walk{world: w, tr: &Transport{Budget: &RetryBudget{Unlimited: w.chance(80)}}}
	k.req, _ = http.NewRequest(one(w, "POST", "POST", "PATCH", "GET", "PUT"), "http://api.example.com/orders", nil)
	k.permitted = idempotent(k.req)
	if w.chance(15) {
		k.req.Header.Set("Idempotency-Key", "k")
		k.permitted = true
	}
	if w.chance(10) {
		k.req.Header.Set("Idempotency-Key", one(w, "", "k"))
		k.permitted = k.permitted || k.req.Header.Get("Idempotency-Key") != ""
	}
	if w.chance(10) {
		k.req.Header.Set("X-Ca-Nonce", "caller")
	}
	p := &k.tr.Policy
	p.MaxAttempts = one(w, 0, 1, 2, 3, 5)
	p.InitialBackoff = one(w, time.Millisecond, time.Second)
	p.MaxThrottleWait = one(w, 0, 0, 3*time.Second)
	p.AttemptTimeout = one(w, 0, 0, 700*time.Millisecond)
	p.MaxElapsed = one(w, 0, 0, 2*time.Second)
	p.MaxBodyBuffer = one[int64](w, 0, 0, 4, -1)
	p.RetryNonIdempotent = w.chance(5)
	k.permitted = k.permitted || p.RetryNonIdempotent
	k.limit = 12 * time.Hour
	k.chooseBody()
	k.chooseHooks()
	return k
}

// chooseBody gives the request a body that may be there once, or again, and may
// grow, block or fail.
func (k *walk) chooseBody() {
	w := k.world
	if w.chance(20) {
		return
	}
	w.content = one(w, "order", strings.Repeat("order", 30))
	kind := w.n(6)
	newBody := func() (io.ReadCloser, error) {
		b := w.body(w.content)
		switch kind {
		case 0, 1:
		case 2:
			b.drip = 200 * time.Millisecond
		case 3:
			b.stuck = true
		case 4:
			b.broken = &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
		case 5:
			b.deaf = true
		}
		w.mu.Lock()
		k.bodies = append(k.bodies, b)
		w.mu.Unlock()
		return b, nil
	}
	k.req.Body, _ = newBody()
	k.req.ContentLength = one(w, int64(len(w.content)), -1)
	if w.chance(50) {
		k.req.GetBody = newBody
	}
}

func (k *walk) chooseHooks() {
	w := k.world
	perhaps := func() {
		if w.chance(3) {
			k.hooked = true
			panic(errWalkPanic)
		}
	}
	k.tr.OnAttempt = func(r *http.Request, _ Attempt) {
		perhaps()
		if r.Body != nil && r.GetBody == nil && w.chance(20) {
			io.ReadAll(r.Body)
			r.Body.Close()
		}
	}
	k.tr.OnRetry = func(*http.Request, Attempt, time.Duration) { perhaps() }
	k.tr.OnDone = func(*http.Request, Result) { perhaps() }
	if w.chance(50) {
		return
	}
	kind, n := w.n(4), 0
	k.tr.PrepareRetry = func(r *http.Request) error {
		perhaps()
		n++
		if w.chance(90) {
			r.Header.Set("X-Ca-Nonce", fmt.Sprint("hook", n))
		}
		switch {
		case w.chance(5):
			return errors.New("no key")
		case kind == 1 && r.Body != nil:
			w.readWithin(r.Body)
		case kind == 2 && r.Body != nil:
			old := r.Body
			got, err := w.readWithin(old)
			old.Close()
			if err != io.EOF {
				return err
			}
			r.Body = io.NopCloser(strings.NewReader(string(got)))
		}
		return nil
	}
}

// context ends never, in time, or because of a sibling.
func (k *walk) context() (context.Context, func()) {
	w := k.world
	ctx, cancel := context.WithCancelCause(context.Background())
	var timer *time.Timer
	switch w.n(4) {
	case 0:
		sibling := one[error](w,
			&net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED},
			&url.Error{
				Op: urlOp(k.req.Method), URL: k.req.URL.String(),
				Err: &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED},
			},
			&Error{Status: 403, Reached: catalog.ReachedNo, Entry: classified(403, "", "Quota Exhausted").Entry},
			saysNotSent{errors.New("breaker open")},
			saysPermanent{errors.New("no key")},
		)
		timer = time.AfterFunc(time.Duration(w.n(3000))*time.Millisecond, func() { cancel(sibling) })
	case 1:
		inner, end := context.WithTimeout(ctx, time.Duration(1+w.n(3000))*time.Millisecond)
		return inner, func() { end(); cancel(nil) }
	}
	return ctx, func() {
		if timer != nil {
			timer.Stop()
		}
		cancel(nil)
	}
}

// checkOutcome looks at what RoundTrip returned.
func (k *walk) checkOutcome(resp *http.Response, err error) {
	w := k.world
	if (resp == nil) == (err == nil) {
		w.fault("got %v and %v", resp, err)
		return
	}
	var e *Error
	if err != nil && !errors.As(err, &e) {
		w.fault("%T is no *Error", err)
		return
	}
	if resp != nil {
		e, _ = FromResponse(resp)
		if (e != nil) != (resp.StatusCode >= 400) {
			w.fault("status %d with %v", resp.StatusCode, e)
		}
	}
	if e == nil {
		return
	}
	w.tell("ends: %v, reached %v", e, e.Reached)
	if e.Reached == catalog.ReachedNo && w.ran > 0 {
		w.fault("reached %v, but the backend ran %d times", e.Reached, w.ran)
	}
	if len(e.Attempts) != w.sent {
		w.fault("%d attempts listed, %d sent", len(e.Attempts), w.sent)
	}
	if resp == nil && e.Status != 0 {
		w.fault("status %d without a response", e.Status)
	}
	if e.Stop == StopUnknown {
		w.fault("no reason for the end")
	}
}

// readResponse reads what was returned, which must be whole.
func (k *walk) readResponse(resp *http.Response) {
	w := k.world
	b := w.given[resp]
	if b == nil || !b.finite {
		go func() {
			defer func() { recover() }()
			resp.Body.Close()
		}()
		return
	}
	got, err := io.ReadAll(resp.Body)
	if string(got) != b.want || err != nil {
		w.fault("the body returned is %.20q, %v, want %.20q", got, err, b.want)
	}
	resp.Body.Close()
}

// checkBodies looks for what was left open.
func (k *walk) checkBodies(panicked bool) {
	for i, b := range k.world.answers {
		if b.timesClosed() == 0 {
			k.world.fault("the body of response %d of %d was left open", i+1, len(k.world.answers))
		}
	}
	for i, b := range k.bodies {
		if n := b.timesClosed(); n != 1 {
			k.world.fault("request body %d of %d was closed %d times (panic: %v)", i+1, len(k.bodies), n, panicked)
		}
	}
}

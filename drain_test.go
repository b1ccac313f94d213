package apigw

import (
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

// blockingBody never gives a byte; Read returns when it is closed.
type blockingBody struct {
	once   sync.Once
	closed chan struct{}
}

func (b *blockingBody) Read([]byte) (int, error) {
	<-b.closed
	return 0, errors.New("closed")
}

func (b *blockingBody) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

func TestBodyThatBlocksDoesNotHoldTheRetryUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := 0
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			if n++; n == 1 {
				return &http.Response{StatusCode: 503, ContentLength: -1,
					Body: &blockingBody{closed: make(chan struct{})}}, nil
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
		})
		start := time.Now()
		tr := &Transport{Base: base, Policy: RetryPolicy{InitialBackoff: time.Millisecond}}
		if _, err := tr.RoundTrip(newRequest(t, http.MethodGet, "")); err != nil {
			t.Fatal(err)
		}
		if got := time.Since(start); got > maxDrainTime {
			t.Errorf("the retry came after %v, want at most %v", got, maxDrainTime)
		}
	})
}

// foreignBody does what its functions do.
type foreignBody struct {
	read  func([]byte) (int, error)
	close func() error
	calls atomic.Int64 // of Close
}

func (b *foreignBody) Read(p []byte) (int, error) { return b.read(p) }
func (b *foreignBody) Close() error {
	b.calls.Add(1)
	return b.close()
}

// hostileBodies are what others may give us to read and close. What blocks for
// ever goes on when the channel is closed.
func hostileBodies(end chan struct{}) map[string]*foreignBody {
	fine := func() error { return nil }
	forEver := func() error { <-end; return nil }
	empty := strings.NewReader("").Read
	closed := make(chan struct{})
	return map[string]*foreignBody{
		"Read blocks until Close": {
			read:  func([]byte) (int, error) { <-closed; return 0, io.ErrClosedPipe },
			close: sync.OnceValue(func() error { close(closed); return nil }),
		},
		"Read blocks for ever":  {read: func([]byte) (int, error) { <-end; return 0, io.EOF }, close: fine},
		"Close blocks for ever": {read: empty, close: forEver},
		"both block for ever":   {read: func([]byte) (int, error) { <-end; return 0, io.EOF }, close: forEver},
		"Read panics":           {read: func([]byte) (int, error) { panic("read") }, close: fine},
		"Close panics":          {read: empty, close: func() error { panic("close") }},
		"Close fails":           {read: empty, close: func() error { return errors.New("close") }},
		"endless": {
			read: func(p []byte) (int, error) { time.Sleep(10 * time.Millisecond); return len(p), nil }, close: fine,
		},
		"drips": {
			read: func(p []byte) (int, error) { time.Sleep(20 * time.Millisecond); return 1, nil }, close: fine,
		},
		"gives nothing at all": {
			read: func(p []byte) (int, error) { time.Sleep(time.Microsecond); return 0, nil }, close: fine,
		},
		"says it read more":      {read: func(p []byte) (int, error) { return len(p) + 1, io.EOF }, close: fine},
		"says it read minus one": {read: func(p []byte) (int, error) { return -1, io.EOF }, close: fine},
	}
}

// Nobody is waited for without a bound, wherever a response is dropped.
func TestHostileResponseBodies(t *testing.T) {
	names := hostileBodies(nil)
	for name := range names {
		for where, answer := range map[string]func(*http.Request, *http.Response) (*http.Response, error){
			"before a retry": func(_ *http.Request, r *http.Response) (*http.Response, error) { return r, nil },
			"beside an error": func(_ *http.Request, r *http.Response) (*http.Response, error) {
				return r,
					dialFailed.err
			},
			"after AttemptTimeout": func(_ *http.Request, r *http.Response) (*http.Response, error) {
				time.Sleep(time.Second)
				return r, nil
			},
			"of a known length": func(_ *http.Request, r *http.Response) (*http.Response, error) {
				r.ContentLength = 5
				return r, nil
			},
			"of too great a length": func(_ *http.Request, r *http.Response) (*http.Response, error) {
				r.ContentLength = 1 << 30
				return r, nil
			},
			"with nothing, it claims": func(_ *http.Request, r *http.Response) (*http.Response, error) {
				r.ContentLength = 0
				return r, nil
			},
		} {
			t.Run(name+" "+where, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					end := make(chan struct{})
					defer close(end)
					body := hostileBodies(end)[name]
					n := 0
					base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
						if n++; n > 1 {
							return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
						}
						return answer(req, &http.Response{StatusCode: 503, ContentLength: -1, Body: body, Request: req})
					})
					tr := &Transport{Base: base, Policy: RetryPolicy{
						NewBackOff: noDelay, AttemptTimeout: time.Second,
					}}
					start := time.Now()
					resp, err := tr.RoundTrip(newRequest(t, http.MethodGet, ""))
					if err != nil || resp.StatusCode != 200 || n != 2 {
						t.Fatalf("got %v, %v after %d attempts, want 200 after 2", resp, err, n)
					}
					if took := time.Since(start) - time.Second; took > maxDrainTime+maxCloseTime {
						t.Errorf("it took %v longer than the attempt", took)
					}
					time.Sleep(time.Second) // a last Read ends
					if got := body.calls.Load(); got != 1 {
						t.Errorf("closed %d times, want once", got)
					}
				})
			})
		}
	}
}

// A refused response may take half of the time that is left.
func TestDrainLeavesTimeForTheRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var at []time.Duration
		start := time.Now()
		base := roundTripFunc(func(*http.Request) (*http.Response, error) {
			at = append(at, time.Since(start))
			body := hostileBodies(nil)["drips"]
			return &http.Response{StatusCode: 503, ContentLength: -1, Body: body}, nil
		})
		tr := &Transport{Base: base, Policy: RetryPolicy{
			NewBackOff: noDelay, MaxElapsed: 100 * time.Millisecond, MaxAttempts: 3,
		}}
		e := mustFail(t, tr, newRequest(t, http.MethodGet, ""))
		if e.Stop != StopMaxAttempts || at[2] > 100*time.Millisecond {
			t.Errorf("stopped by %v with attempts at %v, want max-attempts and none after 100ms", e.Stop, at)
		}
		time.Sleep(time.Second) // a last Read ends
	})
}

// What was read ahead comes first, then the rest, then what it ended with.
func TestResponseReadAhead(t *testing.T) {
	broken := errors.New("broken")
	for name, c := range map[string]struct {
		body io.Reader
		err  error
	}{
		"read to its end": {strings.NewReader("busy"), nil},
		"read in part": {
			io.MultiReader(strings.NewReader("bu"), &slowBody{io.NopCloser(strings.NewReader("sy")), time.Second}), nil,
		},
		"that breaks": {io.MultiReader(strings.NewReader("busy"), iotest.ErrReader(broken)), broken},
		"that breaks late": {
			io.MultiReader(strings.NewReader("busy"), &slowBody{io.NopCloser(iotest.ErrReader(broken)), time.Second}),
			broken,
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				body := &countingBody{Reader: c.body}
				resp := &http.Response{StatusCode: 503, ContentLength: -1, Body: body}
				start := time.Now()
				readAhead(resp, time.Hour, nil)
				if took := time.Since(start); took > maxDrainTime {
					t.Errorf("it took %v", took)
				}
				got, err := io.ReadAll(resp.Body)
				if string(got) != "busy" || !errors.Is(err, c.err) {
					t.Errorf("got %q, %v, want busy and %v", got, err, c.err)
				}
				for range 2 {
					resp.Body.Close()
				}
				if _, err := resp.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
					t.Errorf("got %v after Close", err)
				}
				if body.closes() != 1 {
					t.Errorf("closed %d times, want once", body.closes())
				}
			})
		})
	}
}

func TestCloseWakesTheReadOfAResponseReadAhead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		resp := &http.Response{StatusCode: 503, ContentLength: -1, Body: &blockingBody{closed: make(chan struct{})}}
		readAhead(resp, time.Hour, nil)
		time.AfterFunc(time.Second, func() { resp.Body.Close() })
		if _, err := resp.Body.Read(make([]byte, 1)); err != http.ErrBodyReadAfterClose {
			t.Errorf("got %v, want a read after Close", err)
		}
	})
}

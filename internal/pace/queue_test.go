package pace

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// newTestQueue returns a queue on the time of the bubble.
func newTestQueue() *Queue {
	start := time.Now()
	return NewQueue(func() time.Duration { return time.Since(start) })
}

func (q *Queue) acquire(t *testing.T, wait time.Duration) (Place, error) {
	return q.Acquire(t.Context(), q.clock(), q.clock()+wait, false)
}

// limited returns a queue that spaces calls a second apart, its gate open.
func limited(t *testing.T) *Queue {
	t.Helper()
	q := newTestQueue()
	q.Declare(1, time.Second)
	if p, err := q.acquire(t, 0); err != nil {
		t.Fatal(err)
	} else {
		q.Done(p, Passed, 0)
	}
	return q
}

// closed returns a queue whose gate is closed.
func closed(t *testing.T) *Queue {
	t.Helper()
	q := newTestQueue()
	p, _ := q.acquire(t, 0)
	q.Done(p, Refused, 0)
	if got := q.State().Gate; got != Closed {
		t.Fatalf("the gate is %v, want closed", got)
	}
	return q
}

func TestFirstComeFirstServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := limited(t)
		var mu sync.Mutex
		var got []int
		var wg sync.WaitGroup
		call := func(i int, again bool) {
			wg.Go(func() {
				p, err := q.Acquire(t.Context(), q.clock(), Never, again)
				if err != nil {
					t.Error(err)
				}
				mu.Lock()
				defer mu.Unlock()
				got = append(got, i)
				q.Done(p, Passed, 0)
			})
			synctest.Wait()
		}
		for i := range 3 {
			call(i, false)
		}
		call(10, true) // refused before: goes first
		call(11, true)
		start := time.Now()
		wg.Wait()
		if want := []int{10, 11, 0, 1, 2}; !equal(got, want) {
			t.Errorf("order %v, want %v", got, want)
		}
		if took := time.Since(start); took < 4900*time.Millisecond || took > 5*time.Second {
			t.Errorf("took %v, want 5s at 1/s", took)
		}
	})
}

func equal(a, b []int) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

func TestNoPlaceInTime(t *testing.T) {
	for _, test := range []struct {
		name     string
		wait     time.Duration
		deadline time.Duration
	}{
		{"until", 500 * time.Millisecond, 0},
		{"deadline of the context", time.Hour, 500 * time.Millisecond},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := limited(t)
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel context.CancelFunc
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				start := time.Now()
				_, err := q.Acquire(ctx, q.clock(), q.clock()+test.wait, false)
				var late *LateError
				if !errors.As(err, &late) {
					t.Fatalf("got %v, want a LateError", err)
				}
				if late.Needed != time.Second {
					t.Errorf("needed %v, want 1s", late.Needed)
				}
				if took := time.Since(start); took != 0 {
					t.Errorf("it took %v, want it at once", took)
				}
				if got := q.State(); got.Waiting != 0 || got.Late != 1 {
					t.Errorf("%d wait and %d are late, want 0 and 1", got.Waiting, got.Late)
				}
			})
		})
	}
}

// Who waits when the gate closes for longer than he can wait is reported at once.
func TestLateWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := closed(t)
		probe, err := q.acquire(t, time.Second)
		if err != nil || !probe.Probe {
			t.Fatalf("got %+v, %v, want a probe", probe, err)
		}
		start := time.Now()
		time.AfterFunc(100*time.Millisecond, func() { q.Done(probe, Refused, time.Minute) })
		_, err = q.acquire(t, 30*time.Second)
		var late *LateError
		if !errors.As(err, &late) || late.Needed != time.Minute+100*time.Millisecond {
			t.Errorf("got %v, want one that needs a minute more than it waited", err)
		}
		if took := time.Since(start); took != 100*time.Millisecond {
			t.Errorf("told after %v, want 100ms", took)
		}
	})
}

func TestClosedGateProbesOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := closed(t)
		var places []Place
		for range 3 {
			go func() {
				if p, err := q.acquire(t, time.Hour); err == nil {
					places = append(places, p)
				}
			}()
		}
		time.Sleep(200 * time.Millisecond)
		time.Sleep(60 * time.Millisecond)
		synctest.Wait()
		if len(places) != 1 || !places[0].Probe {
			t.Fatalf("places %+v, want one probe", places)
		}
		for _, o := range []Outcome{Lost, Unsent} {
			n := len(places)
			q.Done(places[n-1], o, 0)
			time.Sleep(250 * time.Millisecond)
			synctest.Wait()
			if len(places) != n+1 || !places[n].Probe {
				t.Fatalf("after outcome %d: places %+v, want one more probe", o, places)
			}
		}
		q.Done(places[2], Passed, 0)
		if got := q.State().Gate; got != Open {
			t.Errorf("the gate is %v, want open", got)
		}
	})
}

// A backend can take its time; a refusal comes at once. So a probe without an
// answer opens the gate.
func TestProbeWithoutAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := closed(t)
		if _, err := q.acquire(t, time.Second); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		if _, err := q.acquire(t, time.Minute); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took > 2*maxPatience {
			t.Errorf("the next call waited %v, want at most %v", took, 2*maxPatience)
		}
	})
}

func TestCancelledWaiterCostsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := limited(t)
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(100*time.Millisecond, func() { cancel(cause) })
		if _, err := q.Acquire(ctx, q.clock(), Never, false); !errors.Is(err, cause) {
			t.Errorf("got %v, want the cause of the context", err)
		}
		if _, err := q.Acquire(ctx, q.clock(), Never, false); !errors.Is(err, cause) {
			t.Errorf("got %v from an ended context, want its cause", err)
		}
		start := time.Now()
		if _, err := q.acquire(t, time.Minute); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(start); took != 900*time.Millisecond {
			t.Errorf("the next call waited %v, want 900ms", took)
		}
	})
}

// Any mix of calls that wait, have a place or are under way can end in any way:
// nothing is left, and the gate lets others through.
func TestNothingIsLeft(t *testing.T) {
	for seed := range uint64(20) {
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			q := newTestQueue()
			if seed%3 == 0 {
				q.Declare(50, time.Second)
			}
			var wg sync.WaitGroup
			for range 300 {
				arrive := time.Duration(rng.Int64N(int64(20 * time.Second)))
				patience := time.Duration(rng.Int64N(int64(5 * time.Second)))
				cancel := time.Duration(rng.Int64N(int64(8 * time.Second)))
				answer := time.Duration(rng.Int64N(int64(2 * time.Second)))
				outcome, again := Outcome(rng.IntN(4)), rng.IntN(4) == 0
				wg.Go(func() {
					time.Sleep(arrive)
					ctx, stop := context.WithTimeout(t.Context(), cancel)
					defer stop()
					p, err := q.Acquire(ctx, q.clock(), q.clock()+patience, again)
					if err != nil {
						return
					}
					time.Sleep(answer)
					q.Done(p, outcome, 0)
				})
			}
			wg.Wait()
			if got := q.State().Waiting; got != 0 {
				t.Errorf("seed %d: %d wait, want none", seed, got)
			}
			p, err := q.acquire(t, 24*time.Hour)
			if err != nil {
				t.Fatalf("seed %d: the gate is stuck: %v, %+v", seed, err, q.State())
			}
			q.Done(p, Passed, 0)
			if got := q.State().Gate; got == Closed {
				t.Errorf("seed %d: the gate is %v after a success", seed, got)
			}
		})
	}
}

func TestShadowHoldsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := newTestQueue()
		q.Shadow()
		start := time.Now()
		for range 100 {
			p, err := q.acquire(t, 0)
			if err != nil {
				t.Fatal(err)
			}
			q.Done(p, Refused, 0)
		}
		s := q.State()
		if time.Since(start) != 0 {
			t.Errorf("waited %v, want nothing", time.Since(start))
		}
		if s.Refused != 100 || s.Held != 99 || s.Gate != Closed {
			t.Errorf("%d refused, %d held back, %v, want 100, 99, closed", s.Refused, s.Held, s.Gate)
		}
	})
}

func TestNeverRefusedAllocatesNothing(t *testing.T) {
	q := newTestQueue()
	ctx := context.Background()
	if n := testing.AllocsPerRun(100, func() {
		p, _ := q.Acquire(ctx, 1, Never, false)
		q.Done(p, Passed, 0)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
}

func BenchmarkNeverRefused(b *testing.B) {
	q := newTestQueue()
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		p, _ := q.Acquire(ctx, 1, Never, false)
		q.Done(p, Passed, 0)
	}
}

package redislimit

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/pacesim"
)

// The clock of Redis can jump, above all when a replica takes over.
func TestClockOfRedisJumps(t *testing.T) {
	s := startRedis(t)
	for name, jump := range map[string]time.Duration{
		"an hour back": -time.Hour, "half a second back": -time.Second / 2, "an hour on": time.Hour,
	} {
		for _, closed := range []bool{false, true} {
			s.forget(t)
			synctest.Test(t, func(t *testing.T) {
				var off atomic.Int64
				l, other := s.limiter(t), s.limiter(t)
				l.Limit, other.Limit = apigw.RateLimit{Calls: 10}, apigw.RateLimit{Calls: 10}
				clock := func() int64 { return time.Now().Add(time.Duration(off.Load())).UnixMicro() }
				l.clock, other.clock = clock, clock
				through(t, l, 20)
				through(t, other, 20)
				if closed {
					refuse(t, l)
					refuse(t, l)
				}
				off.Store(int64(jump))
				start := time.Now()
				through(t, l, 20)
				through(t, other, 20)
				if took := time.Since(start); took < 2*time.Second || took > 10*time.Second {
					t.Errorf("%s, closed %v: 40 calls took %v, want about 4 s", name, closed, took)
				}
				if got := known(l).processes; got != 2 {
					t.Errorf("%s, closed %v: %v processes, want 2", name, closed, got)
				}
			})
		}
	}
}

// Jobs with a rest between them: the rest must not count as time in which the
// limit admitted no more.
func TestRestBetweenJobs(t *testing.T) {
	s := startRedis(t)
	for _, test := range []struct {
		calls   int
		every   time.Duration
		limit   func(*rand.Rand) pacesim.Limit
		took    time.Duration // at most
		refused int           // at most, after the second job
	}{
		{150, 10 * sec, pacesim.Fixed(100, sec), 3 * sec, 30},
		{1500, 9 * time.Minute, pacesim.Fixed(1000, time.Minute), 130 * sec, 100},
	} {
		s.forget(t)
		synctest.Test(t, func(t *testing.T) {
			f := &fleet{rng: rand.New(rand.NewPCG(freshSeeds, 9)), start: time.Now(), passed: make([]int, 1)}
			f.limit = test.limit(f.rng)
			l := s.limiter(t)
			for job := range 12 {
				start, before := time.Now(), f.refused
				var wg sync.WaitGroup
				for range test.calls {
					wg.Go(func() {
						for again := false; !f.call(t.Context(), l, 0, again, 0); again = true {
						}
					})
				}
				wg.Wait()
				if took := time.Since(start); took > test.took {
					t.Errorf("job %d of %d calls took %v, want at most %v", job, test.calls, took, test.took)
				}
				if refused := f.refused - before; job > 1 && refused > test.refused {
					t.Errorf("job %d of %d calls: %d refused, want at most %d", job, test.calls, refused, test.refused)
				}
				time.Sleep(test.every - time.Since(start))
			}
		})
	}
}

// Nine minutes between two refused calls say nothing about the time between.
func TestGateThatNobodyTried(t *testing.T) {
	s := startRedis(t)
	synctest.Test(t, func(t *testing.T) {
		l := s.limiter(t)
		refuse(t, l)
		for range 2 {
			time.Sleep(9 * time.Minute)
			refuse(t, l)
		}
		synctest.Wait()
		start := time.Now()
		through(t, l, 1)
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("the next call waited %v, want at most 2s", took)
		}
	})
}

// States say how long the limit has been used up, and count only who got no
// place in time as that.
func TestStatesOfAClosedGate(t *testing.T) {
	s := startRedis(t)
	synctest.Test(t, func(t *testing.T) {
		l := s.limiter(t)
		refuse(t, l)
		refuse(t, l)
		synctest.Wait()
		time.Sleep(100 * time.Millisecond)
		if got := l.States()[0]; got.Closed < 100*time.Millisecond || got.Closed > time.Second {
			t.Errorf("closed for %v, want some 100ms", got.Closed)
		}
		ctx, cancel := contextWithin(t, 50*time.Millisecond)
		defer cancel()
		_, err := l.Acquire(ctx, "gw", time.Time{}, false)
		if err == nil {
			t.Fatal("got a place")
		}
		if late := errors.As(err, new(*apigw.NoPlaceError)); late != (l.States()[0].NoPlace == 1) {
			t.Errorf("got %v, and %d without a place", err, l.States()[0].NoPlace)
		}
		through(t, l, 1)
		synctest.Wait()
		if got := l.States()[0].Closed; got != 0 {
			t.Errorf("closed for %v, want 0", got)
		}
	})
}

// contextWithin ends without a deadline that could be seen.
func contextWithin(t *testing.T, d time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancel(t.Context())
	timer := time.AfterFunc(d, cancel)
	return ctx, func() { timer.Stop(); cancel() }
}

// known is what Redis said last about the key of these tests.
func known(l *Limiter) reply {
	s := l.shared("gw", l.Limit)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.known
}

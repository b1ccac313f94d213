package redislimit

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/redis/go-redis/v9"
)

// through makes calls one after the other and returns how long the longest took.
func through(t *testing.T, l *Limiter, calls int) (longest time.Duration) {
	t.Helper()
	for range calls {
		start := time.Now()
		p, err := l.Acquire(t.Context(), "gw", time.Time{}, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Done(p, apigw.OutcomePassed)
		longest = max(longest, time.Since(start))
	}
	return longest
}

// refuse makes the gate of a key close.
func refuse(t *testing.T, l *Limiter) {
	t.Helper()
	p, err := l.Acquire(t.Context(), "gw", time.Time{}, false)
	if err != nil {
		t.Fatal(err)
	}
	l.Done(p, apigw.OutcomeRefused)
}

func TestWithoutRedis(t *testing.T) {
	silent := silentServer(t)
	for name, c := range map[string]struct {
		client  redis.Scripter
		longest time.Duration
	}{
		"no client":  {nil, 50 * time.Millisecond},
		"no server":  {client(t, "127.0.0.1:1"), time.Second},
		"no answers": {client(t, silent), time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			l := &Limiter{Client: c.client, Timeout: 50 * time.Millisecond}
			if longest := through(t, l, 50); longest > c.longest {
				t.Errorf("a call waited %v, want at most %v", longest, c.longest)
			}
			// The local pacer learns.
			refuse(t, l)
			var none *apigw.NoPlaceError
			if _, err := l.Acquire(t.Context(), "gw", time.Now().Add(time.Millisecond), false); !errors.As(err, &none) {
				t.Errorf("got %v, want a NoPlaceError", err)
			}
			if s := l.States(); len(s) != 1 || s[0].Rate <= 0 || s[0].Refused != 1 {
				t.Errorf("states %+v, want one limit that refused once", s)
			}
		})
	}
}

func client(t *testing.T, addr string) *redis.Client {
	c := redis.NewClient(&redis.Options{Addr: addr, MaxRetries: -1, DialTimeout: time.Second, ReadTimeout: time.Second})
	t.Cleanup(func() { c.Close() })
	return c
}

// silentServer accepts and never answers.
func silentServer(t *testing.T) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	var conns []net.Conn
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			conns = append(conns, c)
			wg.Go(func() { _, _ = io.Copy(io.Discard, c) })
		}
	})
	t.Cleanup(func() {
		l.Close()
		time.Sleep(10 * time.Millisecond)
		for _, c := range conns {
			c.Close()
		}
		wg.Wait()
	})
	return l.Addr().String()
}

// What one process learns holds the others, at once.
func TestOneRefusalHoldsAll(t *testing.T) {
	s := startRedis(t)
	synctest.Test(t, func(t *testing.T) {
		a, b := s.limiter(t), s.limiter(t)
		through(t, a, 1)
		refuse(t, a)
		synctest.Wait()
		start := time.Now()
		through(t, b, 1)
		if waited := time.Since(start); waited < 200*time.Millisecond || waited > 300*time.Millisecond {
			t.Errorf("the other process waited %v, want until the probe after 250ms", waited)
		}
		var none *apigw.NoPlaceError
		c := s.limiter(t)
		refuse(t, c)
		_, err := c.Acquire(t.Context(), "gw", time.Now().Add(time.Millisecond), false)
		if !errors.As(err, &none) || none.Needed <= 0 {
			t.Errorf("got %v, want a NoPlaceError that says how long", err)
		}
	})
}

// limiter returns one on the time of the bubble.
func (s *server) limiter(t testing.TB) *Limiter {
	c := s.client()
	t.Cleanup(func() {
		time.Sleep(time.Minute) // all is told by then
		c.Close()
	})
	return &Limiter{Client: c, Timeout: time.Hour, clock: func() int64 { return time.Now().UnixMicro() }}
}

// A limit outlives the memory of Redis.
func TestRedisForgets(t *testing.T) {
	s := startRedis(t)
	synctest.Test(t, func(t *testing.T) {
		l := s.limiter(t)
		l.Limit = apigw.RateLimit{Calls: 10}
		through(t, l, 20)
		time.Sleep(5 * time.Second)
		before := l.States()[0].Rate
		s.forget(t)
		start := time.Now()
		through(t, l, 20)
		if took := time.Since(start); took < time.Second {
			t.Errorf("20 calls took %v, want them spaced by the limit of before", took)
		}
		if after := l.States()[0].Rate; after < before*0.9 || after > before*1.1 {
			t.Errorf("rate %v, want the %v of before", after, before)
		}
	})
}

// Any mix of calls that wait, have a place or are under way can end in any way.
func TestNothingIsLeft(t *testing.T) {
	s := startRedis(t)
	for seed := range uint64(10) {
		s.forget(t)
		synctest.Test(t, func(t *testing.T) {
			rng := rand.New(rand.NewPCG(seed, 1))
			l := s.limiter(t)
			if seed%2 == 0 {
				l.Limit = apigw.RateLimit{Calls: 30}
			}
			var wg sync.WaitGroup
			for range 200 {
				arrive := time.Duration(rng.Int64N(int64(10 * time.Second)))
				patience := time.Duration(rng.Int64N(int64(5 * time.Second)))
				cancel := time.Duration(rng.Int64N(int64(8 * time.Second)))
				answer := time.Duration(rng.Int64N(int64(time.Second)))
				outcome, again := apigw.Outcome(rng.IntN(4)), rng.IntN(4) == 0
				wg.Go(func() {
					time.Sleep(arrive)
					ctx, stop := context.WithCancel(t.Context())
					defer stop()
					defer time.AfterFunc(cancel, stop).Stop()
					p, err := l.Acquire(ctx, "gw", time.Now().Add(patience), again)
					if err != nil {
						return
					}
					time.Sleep(answer)
					l.Done(p, outcome)
				})
			}
			wg.Wait()
			if got := l.States()[0].Waiting; got != 0 {
				t.Errorf("seed %d: %d wait, want none", seed, got)
			}
			p, err := l.Acquire(t.Context(), "gw", time.Now().Add(24*time.Hour), false)
			if err != nil {
				t.Fatalf("seed %d: the gate is stuck: %v", seed, err)
			}
			l.Done(p, apigw.OutcomePassed)
			time.Sleep(time.Minute) // all is told
		})
	}
}

func TestKeysOfOneSlot(t *testing.T) {
	l := &Limiter{Prefix: "x:"}
	keys := l.redisKeys("a}b{c|100/s")
	if keys[0] != "x:{a_b_c|100/s}" || !strings.HasPrefix(keys[1], keys[0]) {
		t.Errorf("keys %q, want both with one tag", keys)
	}
}

func TestCredentialsAreNotShown(t *testing.T) {
	l := &Limiter{}
	for _, key := range []string{"b|0123456789abcdef|x", "a|fedcba9876543210|", "c|0123456789abcdef|",
		"mine|and|yours"} {
		p, err := l.Acquire(t.Context(), key, time.Time{}, false)
		if err != nil {
			t.Fatal(err)
		}
		l.Done(p, apigw.OutcomePassed)
	}
	var got []string
	for _, s := range l.States() {
		got = append(got, s.Key)
	}
	if want := []string{"a|caller 2|", "b|caller 1|x", "c|caller 1|", "mine|and|yours"}; !slices.Equal(got, want) {
		t.Errorf("keys %q, want %q", got, want)
	}
}

func TestEndedContext(t *testing.T) {
	cause := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := new(Limiter).Acquire(ctx, "gw", time.Time{}, false); !errors.Is(err, cause) {
		t.Errorf("got %v, want the cause", err)
	}
}

package pace

import (
	"math/rand/v2"
	"testing"
	"time"
)

// openLearner returns one that was closed and opened, at 100 calls a second.
func openLearner() *Learner {
	var l Learner
	l.Declare(100, time.Second, 1)
	return &l
}

// Answers of calls that were sent before the gate moved last never move it, and
// never cut the rate, in whatever order they come.
func TestOldAnswersMoveNothing(t *testing.T) {
	for seed := range uint64(200) {
		rng := rand.New(rand.NewPCG(seed, 2))
		l := openLearner()
		now := time.Second
		var under []Call
		for range 400 {
			now += time.Duration(rng.Int64N(int64(30 * time.Millisecond)))
			if next := l.Next(now); next <= now {
				under = append(under, l.Take(now))
			}
			if len(under) == 0 || rng.IntN(3) == 0 {
				continue
			}
			i := rng.IntN(len(under)) // any of them, so answers come out of order
			c := under[i]
			under = append(under[:i], under[i+1:]...)
			gate, epoch, rate := l.gate, l.epoch, l.rate
			answer(l, rng, c, now)
			if c.Epoch == epoch {
				continue
			}
			if l.gate != gate || l.epoch != epoch {
				t.Fatalf("seed %d: an old answer moved the gate from %v to %v", seed, gate, l.gate)
			}
			if l.rate < rate {
				t.Fatalf("seed %d: an old answer cut the rate from %v to %v", seed, rate, l.rate)
			}
		}
	}
}

func answer(l *Learner, rng *rand.Rand, c Call, now time.Duration) {
	switch rng.IntN(5) {
	case 0, 1:
		l.Refused(c, now, 0, 0)
	case 2:
		l.Lost(c, now)
	case 3:
		l.Unsent(c, now)
	default:
		l.Passed(c, now)
	}
}

// Whatever comes, the figures stay finite and a next call has its moment.
func TestFiguresStayFinite(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 3))
		var l Learner
		if seed%2 == 0 {
			l.Declare(float64(1+rng.IntN(1000)), time.Duration(1+rng.Int64N(int64(time.Hour))), 0)
		}
		now := time.Duration(0)
		for range 300 {
			now += time.Duration(rng.Int64N(int64(1) << (10 + rng.IntN(36))))
			l.Presume(now)
			c := l.Take(now)
			l.Waited(now)
			now += time.Duration(rng.Int64N(int64(1) << (10 + rng.IntN(30))))
			answer(&l, rng, c, now)
			if l.gate == Free {
				continue
			}
			if !(l.rate > 0) || l.rate > 1e9 || l.tokens > burst+1+l.rate {
				t.Fatalf("seed %d: rate %v, tokens %v", seed, l.rate, l.tokens)
			}
			if next := l.Next(now); next > now+48*time.Hour*365 {
				t.Fatalf("seed %d: the next call at %v, now is %v, %+v", seed, next, now, l)
			}
			if wait := l.Estimate(now, 1000); wait < 0 {
				t.Fatalf("seed %d: an estimate of %v", seed, wait)
			}
		}
	}
}

func TestDeclare(t *testing.T) {
	t.Run("nothing", func(t *testing.T) {
		var l Learner
		l.Declare(0, time.Second, 0)
		l.Declare(10, 0, 0)
		l.Declare(-1, time.Second, 0)
		if l.gate != Free {
			t.Errorf("the gate is %v, want free", l.gate)
		}
	})
	t.Run("lower than learned", func(t *testing.T) {
		l := openLearner()
		l.Declare(10, time.Second, time.Second)
		if l.rate != 10 {
			t.Errorf("rate %v, want 10", l.rate)
		}
	})
	t.Run("never exceeded", func(t *testing.T) {
		l := openLearner()
		for now := time.Second; now < time.Minute; now += 10 * time.Millisecond {
			l.Waited(now)
			l.Passed(l.Take(now), now)
		}
		if l.rate > 100 {
			t.Errorf("rate %v, want at most the 100 declared", l.rate)
		}
	})
}

func TestRetryAfterHoldsTheProbe(t *testing.T) {
	for _, test := range []struct {
		name       string
		retryAfter time.Duration
		want       time.Duration // the next probe after the refusal
	}{
		{"none", 0, 250 * time.Millisecond},
		{"short", 10 * time.Second, 10 * time.Second},
		{"a single answer cannot hold all for a day", 24 * time.Hour, time.Minute},
	} {
		t.Run(test.name, func(t *testing.T) {
			var l Learner
			now := time.Second
			l.Refused(l.Take(now), now, test.retryAfter, 0)
			if got := l.Next(now) - now; got != test.want {
				t.Errorf("the next probe after %v, want %v", got, test.want)
			}
		})
	}
}

func TestUnit(t *testing.T) {
	for closed, want := range map[time.Duration]time.Duration{
		0: time.Second, time.Second: time.Second, 2 * time.Second: time.Minute,
		2 * time.Minute: time.Hour, 2 * time.Hour: 24 * time.Hour, 72 * time.Hour: 24 * time.Hour,
	} {
		if got := unit(closed); got != want {
			t.Errorf("unit(%v) = %v, want %v", closed, got, want)
		}
	}
}

func TestGateNames(t *testing.T) {
	for g, want := range map[Gate]string{Free: "free", Open: "open", Doubtful: "doubtful", Closed: "closed",
		9: "unknown"} {
		if got := g.String(); got != want {
			t.Errorf("Gate(%d) is %q, want %q", g, got, want)
		}
	}
}

package pace_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/apigw-go/apigw/internal/pace"
	"github.com/apigw-go/apigw/internal/pacesim"
)

// Jobs with a rest between them: the rest must not count as time in which the
// limit admitted no more.
func TestRestBetweenJobs(t *testing.T) {
	t.Parallel()
	const jobs = 12
	for _, test := range []struct {
		name    string
		calls   int
		every   time.Duration
		limit   func(*rand.Rand) pacesim.Limit
		took    time.Duration // at most
		refused int           // at most, after the second job
	}{
		{"150 each 10 s at 100/s", 150, 10 * sec, pacesim.Fixed(100, sec), 2500 * ms, 20},
		{"1000 each hour at 100/s", 1000, hour, pacesim.Fixed(100, sec), 11 * sec, 20},
		{"1500 each hour at 1000/min", 1500, hour, pacesim.Fixed(1000, minute), 2 * minute, 100},
	} {
		s := pacesim.Scenario{Limit: test.limit, End: jobs * test.every,
			Arrivals: func(int) func(*rand.Rand) (time.Duration, int) {
				return func(*rand.Rand) (time.Duration, int) { return test.every, test.calls }
			}}
		perSeed(t, s, learned, func(t *testing.T, seed uint64, got pacesim.Result) {
			var last [jobs]time.Duration
			for _, m := range got.PassedAt {
				last[m/test.every] = max(last[m/test.every], m%test.every)
			}
			for job, took := range last {
				if took > test.took {
					t.Errorf("%s, seed %d: job %d took %v, want at most %v", test.name, seed, job, took, test.took)
				}
			}
			for job := range last[2:] {
				from := time.Duration(job+2) * test.every
				n := 0
				for _, m := range got.RefusedAt {
					if m >= from && m < from+test.every {
						n++
					}
				}
				if n > test.refused {
					t.Errorf("%s, seed %d: %d of job %d refused, want at most %d", test.name, seed, n, job+2,
						test.refused)
				}
			}
		})
	}
}

// An hour between two calls that are refused says nothing about the time
// between: the next one must not wait for another hour.
func TestGateThatNobodyTried(t *testing.T) {
	var l pace.Line
	refuse := func(now time.Duration) {
		w := pace.Waiter{Until: now}
		if l.Enter(now, &w); w.State != pace.Granted {
			t.Fatalf("at %v a call is %v, want it granted", now, w.State)
		}
		l.Refused(w.Call, now+ms, 0, 0)
	}
	refuse(0)
	refuse(hour)
	refuse(2 * hour)
	w := pace.Waiter{Until: 2*hour + 2*sec}
	l.Enter(2*hour+sec, &w)
	l.Advance(2*hour+2*sec, nil)
	if w.State != pace.Granted {
		t.Errorf("the next call is %v, needs %v more, want it granted within a second", w.State, w.Needed)
	}
}

// While somebody calls all the time, closed is closed.
func TestGateThatIsTriedStaysClosed(t *testing.T) {
	var l pace.Line
	probes := 0
	for now := time.Duration(0); now < 24*hour; now += sec {
		w := pace.Waiter{Until: now}
		if l.Enter(now, &w); w.State == pace.Granted {
			probes++
			l.Refused(w.Call, now+ms, 0, 0)
		}
		l.Advance(now+ms, nil)
	}
	if probes > 30 {
		t.Errorf("%d probes in 24 hours, want at most 30", probes)
	}
}

// Those who wait already are enough for the rate to grow.
func TestWaitersWithoutNewcomers(t *testing.T) {
	var l pace.Line
	l.Resume(1, sec, 0)
	for range 200 {
		l.Enter(0, &pace.Waiter{Until: pace.Never})
	}
	now := time.Duration(0)
	for l.Waiting() > 0 && now < hour {
		released, next := l.Advance(now, nil)
		for _, w := range released {
			l.Passed(w.Call, now+ms)
		}
		now = max(now+ms, min(next, now+sec))
	}
	if left := l.Waiting(); left > 0 || now > minute {
		t.Errorf("%d wait after %v, want none after a minute", left, now)
	}
}

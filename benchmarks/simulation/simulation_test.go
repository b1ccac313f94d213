package simulation

import (
	"flag"
	"testing"
	"testing/synctest"
	"time"
)

var (
	clients = flag.Int("clients", defaultClients, "number of clients")
	seed    = flag.Uint64("seed", 1, "seed of all that is random")
	update  = flag.Bool("update", false, "write the figures of TestFigures to ../results")
)

// run lets a fleet go through s on fake time.
func run(t *testing.T, s Scenario, rule Rule, clients int) *Outcome {
	t.Helper()
	var o *Outcome
	began := time.Now()
	synctest.Test(t, func(t *testing.T) {
		var err error
		if o, err = s.Run(rule, clients, *seed); err != nil {
			t.Fatal(err)
		}
	})
	t.Logf("%s, %v: %d clients, %d requests, %.3f attempts each, %.4f%% succeeded; simulated in %v, seed %d",
		s.Name, rule, clients, o.Requests, o.Amplification(), 100*o.Success(),
		time.Since(began).Round(time.Millisecond), *seed)
	return o
}

// The outages are short, so that what clients saved up before counts most: the
// longer an outage, the lower the amplification.
func TestOutageAmplification(t *testing.T) {
	for _, s := range []Scenario{
		Outage("outage, instant failures", 0, 10, 10*time.Second),
		Outage("outage, failures after 5 ms", 5*time.Millisecond, 10, 10*time.Second),
	} {
		t.Run(s.Name, func(t *testing.T) {
			t.Parallel()
			if got := run(t, s, Budget, *clients).Amplification(); got > 1.2 {
				t.Errorf("got %.4f attempts a request, want at most 1.2", got)
			}
		})
	}
}

func TestBlipsAllSucceed(t *testing.T) {
	t.Parallel()
	o := run(t, Blips(2, 20*time.Second), Budget, *clients)
	if o.Succeeded != o.Requests {
		t.Errorf("got %d of %d requests to succeed, want all", o.Succeeded, o.Requests)
	}
}

func TestQuietClientKeepsItsRetries(t *testing.T) {
	t.Parallel()
	o := run(t, Quiet(10*time.Minute), Budget, *clients)
	if o.FewestAttempts != 4 {
		t.Errorf("got a request with %d attempts, want 4 for each", o.FewestAttempts)
	}
}

func TestOverloadRecovery(t *testing.T) {
	s := Overload(5*time.Second, 10*time.Second, 10*time.Second)
	t.Run("with the budget", func(t *testing.T) {
		t.Parallel()
		o := run(t, s, Budget, *clients)
		took, ok := s.Recovery(o)
		if !ok || took > 5*time.Second {
			t.Errorf("got full goodput after %v (ever: %t), want within 5s; by second: %v of %v", took, ok,
				o.Good.Counts, o.Begun.Counts)
		}
	})
	t.Run("without a budget", func(t *testing.T) {
		t.Parallel()
		o := run(t, s, Unbounded, *clients)
		if took, ok := s.Recovery(o); ok {
			t.Errorf("got full goodput after %v, want none: the model is too mild to show anything", took)
		}
	})
}

func TestSameSeedSameRun(t *testing.T) {
	s := Overload(2*time.Second, 4*time.Second, 4*time.Second)
	first, second := run(t, s, AWS, 200), run(t, s, AWS, 200)
	if first.Attempts != second.Attempts || first.Succeeded != second.Succeeded {
		t.Errorf("got %d attempts and %d successes, then %d and %d, want the same twice",
			first.Attempts, first.Succeeded, second.Attempts, second.Succeeded)
	}
}

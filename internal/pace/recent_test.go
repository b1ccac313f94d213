package pace

import (
	"sync"
	"testing"
	"time"
)

func TestRecent(t *testing.T) {
	for _, test := range []struct {
		name  string
		calls []time.Duration
		now   time.Duration
		want  int
	}{
		{"none", nil, time.Hour, 0},
		{"this second and the one before", []time.Duration{900e6, 1100e6, 1200e6}, 1500e6, 3},
		{"the second before that is forgotten", []time.Duration{900e6, 1100e6}, 2500e6, 1},
		{"long ago", []time.Duration{900e6, 1100e6}, time.Hour, 0},
		{"an answer that comes late counts now", []time.Duration{5e9, 1e9}, 5500e6, 2},
		{"the first second", []time.Duration{0, 0}, 0, 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			var r recent
			for _, c := range test.calls {
				r.add(c)
			}
			if got := r.count(test.now); got != test.want {
				t.Errorf("got %d, want %d", got, test.want)
			}
		})
	}
}

func TestRecentCountsAll(t *testing.T) {
	var r recent
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				r.add(time.Second)
			}
		})
	}
	wg.Wait()
	if got, want := r.count(time.Second), 8000; got != want {
		t.Errorf("got %d, want %d", got, want)
	}
}

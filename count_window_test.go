package apigw

import (
	"sync"
	"testing"
	"time"
)

func TestWindowForgets(t *testing.T) {
	var w window
	for range 7 {
		w.add(2 * time.Second)
	}
	for now, want := range map[time.Duration]int{2 * time.Second: 7, 9 * time.Second: 7, 10 * time.Second: 0,
		time.Hour: 0} {
		if got := w.sum(now); got != want {
			t.Errorf("at %v: %d, want %d", now, got, want)
		}
	}
}

func TestWindowCountsAllGoroutines(t *testing.T) {
	var w window
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				w.add(time.Second)
			}
		})
	}
	wg.Wait()
	if got := w.sum(time.Second); got != 8000 {
		t.Errorf("counted %d, want 8000", got)
	}
}

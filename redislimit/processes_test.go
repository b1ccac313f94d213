package redislimit

import (
	"encoding/json"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/pacesim"
	"github.com/redis/go-redis/v9"
)

const workerEnv = "REDISLIMIT_WORKER"

// task is what a worker process has to do.
type task struct {
	Gateway, Redis string
	Workers        int
	For            time.Duration
}

// work is the main function of a worker process.
func work() int {
	var job task
	if err := json.Unmarshal([]byte(os.Getenv(workerEnv)), &job); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	client := redis.NewClient(&redis.Options{Addr: job.Redis})
	defer client.Close()
	web := &http.Client{Transport: &apigw.Transport{
		Base:    &http.Transport{MaxIdleConnsPerHost: job.Workers},
		Limiter: &Limiter{Client: client},
		Policy:  apigw.RetryPolicy{MaxThrottleWait: time.Minute},
	}}
	end := time.Now().Add(job.For)
	var wg sync.WaitGroup
	failed := make(chan error, job.Workers)
	for range job.Workers {
		wg.Go(func() {
			for time.Now().Before(end) {
				resp, err := web.Get(job.Gateway)
				if err == nil {
					resp.Body.Close()
					if resp.StatusCode == http.StatusOK {
						continue
					}
					err = fmt.Errorf("status %d", resp.StatusCode)
					if e, ok := apigw.FromResponse(resp); ok {
						err = e
					}
				}
				failed <- err
				return
			}
		})
	}
	wg.Wait()
	select {
	case err := <-failed:
		fmt.Fprintln(os.Stderr, err)
		return 1
	default:
		return 0
	}
}

// gateway admits so many calls a second, over real sockets.
type gateway struct {
	mu              sync.Mutex
	limit           pacesim.Limit
	start           time.Time
	passed, refused []time.Duration
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	g.mu.Lock()
	now := time.Since(g.start)
	ok := g.limit.Admit(now)
	if ok {
		g.passed = append(g.passed, now)
	} else {
		g.refused = append(g.refused, now)
	}
	g.mu.Unlock()
	if !ok {
		w.Header().Set("X-Ca-Error-Code", "T429PR")
		w.WriteHeader(http.StatusTooManyRequests)
	}
}

// between counts the moments of a span.
func between(moments []time.Duration, from, to time.Duration) (n int) {
	for _, m := range moments {
		if m >= from && m < to {
			n++
		}
	}
	return n
}

// clock is for a quiet machine: no test passes or fails by the time alone.
var clock = flag.Bool("clock", false, "TestTwentyProcesses fails if too few calls pass, or too many are refused")

// awaitProcesses waits until so many share a limit in Redis.
func awaitProcesses(t *testing.T, s *server, want int64) {
	t.Helper()
	client := s.client()
	defer client.Close()
	most := int64(0)
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
		for _, key := range client.Keys(t.Context(), "*:processes").Val() {
			if most = max(most, client.ZCard(t.Context(), key).Val()); most == want {
				return
			}
		}
	}
	t.Errorf("at most %d processes came back to Redis, want %d", most, want)
}

// Twenty processes share a limit over Redis, which is killed and started again
// while they work. No call fails.
func TestTwentyProcesses(t *testing.T) {
	if testing.Short() {
		t.Skip("takes thirteen seconds")
	}
	s := startRedis(t)
	limit := &pacesim.Aligned{Window: time.Second, Calls: func(time.Duration) int { return 200 }}
	g := &gateway{limit: limit, start: time.Now()}
	web := httptest.NewServer(g)
	defer web.Close()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	job, _ := json.Marshal(task{web.URL, s.addr(), 10, 13 * time.Second})
	var wg sync.WaitGroup
	for range 20 {
		cmd := exec.Command(self)
		cmd.Env = append(os.Environ(), workerEnv+"="+string(job))
		wg.Go(func() {
			if out, err := cmd.CombinedOutput(); err != nil {
				t.Errorf("a process failed: %v\n%s", err, out)
			}
		})
	}
	time.Sleep(6 * time.Second)
	s.kill()
	time.Sleep(2 * time.Second)
	s.start(t)
	awaitProcesses(t, s, 20)
	wg.Wait()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, part := range []struct {
		name     string
		from, to time.Duration
		passed   int     // at least, on a quiet machine
		refused  float64 // at most, of the calls sent
	}{
		{"together", 4 * time.Second, 6 * time.Second, 250, .15},
		{"without Redis", 6 * time.Second, 8 * time.Second, 200, .35},
		{"together again", 10 * time.Second, 12 * time.Second, 200, .25},
	} {
		passed, refused := between(g.passed, part.from, part.to), between(g.refused, part.from, part.to)
		t.Logf("%s: %d passed, %d refused", part.name, passed, refused)
		if passed == 0 {
			t.Errorf("%s: nothing passed", part.name)
		}
		if *clock && (passed < part.passed || float64(refused) > part.refused*float64(passed+refused)) {
			t.Errorf("%s: %d passed and %d refused, want at least %d and at most %v of all",
				part.name, passed, refused, part.passed, part.refused)
		}
	}
}

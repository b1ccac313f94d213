package redislimit

import (
	"context"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/redis/go-redis/v9"
)

// What Redis refuses to do, for whatever reason, is no error of a call: the
// process paces by itself, and asks again a second later.
func TestRedisRefuses(t *testing.T) {
	for name, trouble := range map[string]struct{ begin, end []any }{
		"read only":     {[]any{"REPLICAOF", "127.0.0.1", "1"}, []any{"REPLICAOF", "NO", "ONE"}},
		"out of memory": {[]any{"CONFIG", "SET", "maxmemory", "1"}, []any{"CONFIG", "SET", "maxmemory", "0"}},
		"no rights": {
			[]any{"ACL", "SETUSER", "default", "-evalsha", "-eval"}, []any{"ACL", "SETUSER", "default", "+@all"},
		},
		"another's key":    {[]any{"SET", "apigw:limit:{gw}", "x"}, []any{"DEL", "apigw:limit:{gw}"}},
		"script forgotten": {[]any{"SCRIPT", "FLUSH"}, []any{"PING"}},
	} {
		t.Run(name, func(t *testing.T) {
			s := startRedis(t)
			admin := s.client()
			defer admin.Close()
			do := func(args []any) {
				if err := admin.Do(context.Background(), args...).Err(); err != nil {
					t.Fatalf("%v: %v", args, err)
				}
			}
			synctest.Test(t, func(t *testing.T) {
				l, other := s.limiter(t), s.limiter(t)
				through(t, l, 5)
				do(trouble.begin)
				time.Sleep(2 * time.Second) // what Redis said is old by then
				start := time.Now()
				through(t, l, 1)
				synctest.Wait()
				refuse(t, l)
				synctest.Wait()
				through(t, l, 3)
				if took := time.Since(start); took > 5*time.Second {
					t.Errorf("4 calls took %v", took)
				}
				if got := l.States()[0]; got.Refused != 1 || got.Rate <= 0 {
					t.Errorf("states %+v, want what this process learned", got)
				}
				do(trouble.end)
				time.Sleep(2 * time.Second)
				through(t, l, 1) // asks whether Redis is back
				synctest.Wait()
				through(t, other, 1)
				refuse(t, other)
				time.Sleep(2 * time.Second)
				refuse(t, l)
				synctest.Wait()
				of := l.shared("gw", apigw.RateLimit{})
				of.mu.Lock()
				defer of.mu.Unlock()
				if of.local != nil {
					t.Error("it still paces by itself, want it to be back with the others")
				}
			})
		})
	}
}

// slow answers after a second.
type slow struct{ redis.Scripter }

func (s slow) EvalSha(ctx context.Context, sha string, keys []string, args ...any) *redis.Cmd {
	time.Sleep(time.Second)
	return s.Scripter.EvalSha(context.WithoutCancel(ctx), sha, keys, args...)
}

func TestSlowRedis(t *testing.T) {
	s := startRedis(t)
	synctest.Test(t, func(t *testing.T) {
		l := s.limiter(t)
		l.Client, l.Timeout = slow{l.Client}, 100*time.Millisecond
		if longest := through(t, l, 20); longest > 100*time.Millisecond {
			t.Errorf("a call waited %v, want at most the Timeout", longest)
		}
		refuse(t, l)
		start := time.Now()
		var wg sync.WaitGroup
		for range 20 {
			wg.Go(func() { through(t, l, 1) })
		}
		wg.Wait()
		if took := time.Since(start); took > 30*time.Second {
			t.Errorf("20 calls took %v after a refusal, want it as without Redis", took)
		}
		time.Sleep(time.Minute) // answers that are late
		if got := l.States()[0]; got.Waiting != 0 || got.Refused != 1 {
			t.Errorf("states %+v, want nobody waiting, refused once", got)
		}
	})
}

// No AppKey and no AppCode is in a key, and no key stays for ever.
func TestKeysInRedis(t *testing.T) {
	s := startRedis(t)
	client := s.client()
	defer client.Close()
	synctest.Test(t, func(t *testing.T) {
		l := s.limiter(t)
		base := roundTripFunc(func(req *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req, Header: http.Header{}}, nil
		})
		tr := &apigw.Transport{Base: base, Limiter: l, Policy: apigw.RetryPolicy{
			MaxThrottleWait: time.Minute, LimitScope: "/a{b}c d\r\n*",
		}}
		for name, value := range map[string]string{
			"X-Ca-Key": "tops3cret-key", "Authorization": "APPCODE tops3cret-code", "Accept": "",
		} {
			req, _ := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://api.example.com/x?token=tops3cret", nil)
			req.Header.Set(name, value)
			resp, err := tr.RoundTrip(req)
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
		}
		through(t, l, 1)
		if p, err := l.Acquire(t.Context(), "", time.Time{}, false); err != nil {
			t.Error(err)
		} else {
			l.Done(p, apigw.OutcomePassed)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		keys, err := client.Keys(context.Background(), "*").Result()
		if err != nil || len(keys) != 10 {
			t.Fatalf("keys %q, %v, want two for each of five limits", keys, err)
		}
		for _, key := range keys {
			if strings.Contains(key, "tops3cret") {
				t.Errorf("key %q shows a secret", key)
			}
			if strings.Count(key, "{") != 1 || strings.Contains(key, "{}") {
				t.Errorf("key %q, want one tag that is not empty", key)
			}
			if ttl := client.PTTL(context.Background(), key).Val(); ttl <= 0 || ttl > 49*time.Hour {
				t.Errorf("key %q stays for %v", key, ttl)
			}
			kind := client.Type(context.Background(), key).Val()
			if kind == "hash" && strings.Contains(client.HGetAll(context.Background(), key).String(), "tops3cret") {
				t.Errorf("what %q holds shows a secret", key)
			}
		}
		for _, state := range tr.Limits() {
			if strings.Contains(state.Key, "tops3cret") {
				t.Errorf("state %+v shows a secret", state)
			}
		}
	})
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

package policies_test

import (
	"fmt"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/policies"
)

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

// answer is a Base that always answers with a status.
func answer(status int) roundTripFunc {
	return func(req *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: status, Header: http.Header{}, Body: http.NoBody, Request: req}, nil
	}
}

// outgoing is a request as a program writes it down.
func outgoing(t testing.TB, rawURL string) *http.Request {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return (&http.Request{URL: u, Header: http.Header{}}).WithContext(t.Context())
}

// with returns a Set with one policy per pattern.
func with(t testing.TB, services map[string]apigw.RetryPolicy) *policies.Set {
	t.Helper()
	s := new(policies.Set)
	if err := s.Replace(policies.File{Services: services}); err != nil {
		t.Fatal(err)
	}
	return s
}

func TestForAndMatchChooseTheSame(t *testing.T) {
	withDefault := new(policies.Set)
	err := withDefault.Replace(policies.File{
		Default:  &apigw.RetryPolicy{MaxAttempts: 9},
		Services: map[string]apigw.RetryPolicy{"API.example.com/a": {MaxAttempts: 2}, "/a": {MaxAttempts: 3}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name    string
		set     *policies.Set
		url     *url.URL
		want    int
		pattern string
	}{
		{"pattern as it was written", withDefault, &url.URL{Host: "api.example.com:8443", Path: "/a"}, 2,
			"API.example.com/a"},
		{"other host", withDefault, &url.URL{Host: "h", Path: "/a"}, 3, "/a"},
		{"default", withDefault, &url.URL{Path: "/b"}, 9, ""},
		{"no default", with(t, map[string]apigw.RetryPolicy{"/a": {}}), &url.URL{Path: "/b"}, 0, ""},
		{"zero", new(policies.Set), &url.URL{Path: "/b"}, 0, ""},
		{"nil", nil, &url.URL{Path: "/b"}, 0, ""},
		{"no URL", with(t, map[string]apigw.RetryPolicy{"/": {}}), nil, 0, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			req := &http.Request{URL: tt.url}
			policy, pattern, ok := tt.set.Match(req)
			if policy.MaxAttempts != tt.want || pattern != tt.pattern || ok != (tt.want > 0) {
				t.Errorf("got %d, %q, %t, want %d, %q", policy.MaxAttempts, pattern, ok, tt.want, tt.pattern)
			}
			chosen := tt.set.For(req)
			if (chosen != nil) != ok || ok && chosen.MaxAttempts != tt.want {
				t.Errorf("For: got %v, want %d attempts", chosen, tt.want)
			}
		})
	}
}

func TestReplaceKeepsWhatWasInForce(t *testing.T) {
	s := with(t, map[string]apigw.RetryPolicy{"/a": {}})
	err := s.Replace(policies.File{
		Default: &apigw.RetryPolicy{MaxAttempts: -1},
		Services: map[string]apigw.RetryPolicy{
			"/b": {BackoffMultiplier: 0.5}, "c": {}, "/{x}": {}, "/{y}": {},
		},
	})
	for _, want := range []string{
		"policies: default: MaxAttempts is -1",
		`policies: service "/b": BackoffMultiplier is 0.5`,
		`policies: service "c": a pattern has a path`,
		`policies: service "/{y}": conflicts with "/{x}"`,
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to hold %s", err, want)
		}
	}
	if _, got, _ := s.Match(outgoing(t, "http://h/a")); got != "/a" {
		t.Errorf("got %q, want the pattern from before", got)
	}
}

func TestSetSharesNothingWithTheCaller(t *testing.T) {
	codes := []int{503}
	s := with(t, map[string]apigw.RetryPolicy{"/": {RetryableStatusCodes: codes}})
	codes[0] = 500
	got, _, _ := s.Match(outgoing(t, "http://h/"))
	got.RetryableStatusCodes[0]++
	if got, _, _ = s.Match(outgoing(t, "http://h/")); !slices.Equal(got.RetryableStatusCodes, []int{503}) {
		t.Errorf("got %v, want [503]", got.RetryableStatusCodes)
	}
}

// A field that holds a slice, a map or a pointer is shared until clone knows it.
func TestSetCopiesEveryFieldThatCanBeShared(t *testing.T) {
	var given apigw.RetryPolicy
	v := reflect.ValueOf(&given).Elem()
	for i := range v.NumField() {
		switch f := v.Field(i); f.Kind() {
		case reflect.Slice:
			f.Set(reflect.MakeSlice(f.Type(), 1, 1))
		case reflect.Map, reflect.Pointer, reflect.Interface:
			t.Errorf("%s may be shared: copy it in clone, and test it here", v.Type().Field(i).Name)
		}
	}
	given.RetryableStatusCodes[0] = 503
	given.SuccessMarks[0].Header = "X-Fc-Error-Type"
	got, _, _ := with(t, map[string]apigw.RetryPolicy{"/": given}).Match(outgoing(t, "http://h/"))
	for i := range v.NumField() {
		if f := v.Field(i); f.Kind() == reflect.Slice && f.Pointer() == reflect.ValueOf(got).Field(i).Pointer() {
			t.Errorf("%s is shared", v.Type().Field(i).Name)
		}
	}
}

func TestRequestInFlightKeepsItsPolicy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := with(t, map[string]apigw.RetryPolicy{"/": {MaxAttempts: 3}})
		attempts := 0
		tr := &apigw.Transport{PolicyFor: s.For, Base: roundTripFunc(func(req *http.Request) (*http.Response, error) {
			attempts++
			return answer(503)(req)
		})}
		tr.OnRetry = func(*http.Request, apigw.Attempt, time.Duration) {
			if err := s.Replace(policies.File{Services: map[string]apigw.RetryPolicy{"/": {MaxAttempts: 1}}}); err != nil {
				t.Error(err)
			}
		}
		for _, want := range []int{3, 1} {
			attempts = 0
			resp, err := tr.RoundTrip(outgoing(t, "http://h/"))
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if attempts != want {
				t.Errorf("got %d attempts, want %d", attempts, want)
			}
		}
	})
}

func TestReplaceWhileInUse(t *testing.T) {
	s := with(t, map[string]apigw.RetryPolicy{"/": {}})
	tr := &apigw.Transport{PolicyFor: s.For, Base: answer(200)}
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				if _, err := tr.RoundTrip(outgoing(t, "http://h/a")); err != nil {
					t.Error(err)
				}
				if _, _, ok := s.Match(outgoing(t, "http://h/a")); !ok {
					t.Error("got no policy, want always one")
				}
			}
		})
	}
	for i := range 200 {
		f := policies.File{Services: map[string]apigw.RetryPolicy{"/": {MaxAttempts: 1 + i%3},
			fmt.Sprintf("/%d", i): {}}}
		if err := s.Replace(f); err != nil {
			t.Error(err)
		}
	}
	wg.Wait()
}

// twoHundred are the policies of a program with many services.
func twoHundred(t testing.TB) *policies.Set {
	services := map[string]apigw.RetryPolicy{}
	for i := range 40 {
		host := fmt.Sprintf("service-%d.api.example.com", i)
		for _, pattern := range []string{
			host + "/", "GET " + host + "/v1/orders/{id}", "POST " + host + "/v1/orders",
			host + "/v1/orders/{id}/items/{item}", fmt.Sprintf("/v%d/status", i),
		} {
			services[pattern] = apigw.RetryPolicy{}
		}
	}
	return with(t, services)
}

var manyURLs = map[string]string{
	"wildcards": "https://service-7.api.example.com:8443/v1/orders/42/items/1",
	"any host":  "https://other.example.com/v7/status",
	"escaped":   "https://Service-7.api.example.com./v1/orders/a%2Fb",
	"none":      "https://other.example.com/v1/orders/42",
}

func TestForAllocatesNothing(t *testing.T) {
	s := twoHundred(t)
	for name, rawURL := range manyURLs {
		req := outgoing(t, rawURL)
		if got := testing.AllocsPerRun(100, func() { s.For(req) }); got != 0 {
			t.Errorf("%s: got %v allocations, want 0", name, got)
		}
	}
}

func BenchmarkFor(b *testing.B) {
	s := twoHundred(b)
	for name, rawURL := range manyURLs {
		b.Run(name, func(b *testing.B) {
			req := outgoing(b, rawURL)
			b.ReportAllocs()
			for b.Loop() {
				s.For(req)
			}
		})
	}
}

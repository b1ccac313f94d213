package defaultbase

import (
	"net/http"
	"testing"
)

// plain is a RoundTripper without a Base, as those that ask.
type plain struct{ Base http.RoundTripper }

func (p *plain) RoundTrip(req *http.Request) (*http.Response, error) {
	base := p.Base
	if base == nil {
		base, req, _ = Of(p, req)
	}
	return base.RoundTrip(req)
}

type wrapper struct {
	rt http.RoundTripper // not exported, as in otelhttp
}

func (w *wrapper) RoundTrip(req *http.Request) (*http.Response, error) { return w.rt.RoundTrip(req) }

type byValue struct{ Next http.RoundTripper }

func (w byValue) RoundTrip(req *http.Request) (*http.Response, error) { return w.Next.RoundTrip(req) }

type function func(*http.Request) (*http.Response, error)

func (f function) RoundTrip(req *http.Request) (*http.Response, error) { return f(req) }

type ring struct{ next http.RoundTripper }

func (r *ring) RoundTrip(*http.Request) (*http.Response, error) { return nil, nil }

func TestOf(t *testing.T) {
	defer func(d http.RoundTripper) { http.DefaultTransport, original = d, d }(original)
	self := &plain{}
	own := &http.Transport{}
	foreign := &wrapper{rt: own}
	circle := &ring{}
	circle.next = circle
	for name, c := range map[string]struct {
		d    http.RoundTripper
		want string // original, default, or marked: the default, once
	}{
		"untouched":               {original, "default"},
		"another http.Transport":  {own, "default"},
		"nil":                     {nil, "original"},
		"itself":                  {self, "original"},
		"wrapped":                 {&wrapper{rt: self}, "original"},
		"wrapped twice":           {&wrapper{rt: &plain{Base: self}}, "original"},
		"wrapped by a value":      {byValue{self}, "original"},
		"a wrapper of the first":  {foreign, "default"},
		"another one without":     {&plain{}, "default"},
		"a function":              {function(self.RoundTrip), "marked"},
		"a wrapper of a function": {&wrapper{rt: function(self.RoundTrip)}, "marked"},
		"a ring":                  {circle, "marked"},
	} {
		t.Run(name, func(t *testing.T) {
			http.DefaultTransport = c.d
			for range 2 { // the second answer is a remembered one
				req, _ := http.NewRequest(http.MethodGet, "http://api.example.com/", nil)
				base, sent, came := Of(self, req)
				got := "default"
				switch {
				case came:
					t.Error("a fresh request came back")
				case base == original && c.want == "original":
					got = "original"
				case sent != req:
					got = "marked"
					if again, _, came := Of(self, sent); again != original || !came {
						t.Errorf("the second time through %T, want the original", again)
					}
				}
				if got != c.want {
					t.Errorf("got %s (%T), want %s", got, base, c.want)
				}
			}
			if got := For(self); (got == original) != (c.want != "default" || c.d == original) {
				t.Errorf("without a request: got %T", got)
			}
		})
	}
}

// The usual default costs nothing.
func TestOfAllocatesNothing(t *testing.T) {
	self := &plain{}
	req, _ := http.NewRequest(http.MethodGet, "http://api.example.com/", nil)
	if got := testing.AllocsPerRun(100, func() { Of(self, req) }); got > 0 {
		t.Errorf("%v allocations, want none", got)
	}
}

// Each sends through the default, which is the other one: it ends.
func TestNoEndlessCalls(t *testing.T) {
	defer func(d http.RoundTripper) { http.DefaultTransport, original = d, d }(original)
	sent := 0
	original = function(func(req *http.Request) (*http.Response, error) {
		sent++
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: req}, nil
	})
	self := &plain{}
	for name, d := range map[string]http.RoundTripper{
		"itself": self, "wrapped": &wrapper{rt: self}, "in a function": function(self.RoundTrip),
		"above another": &plain{Base: self},
	} {
		http.DefaultTransport = d
		req, _ := http.NewRequest(http.MethodGet, "http://api.example.com/", nil)
		sent = 0
		if _, err := http.DefaultTransport.RoundTrip(req); err != nil || sent != 1 {
			t.Errorf("%s: sent %d times, %v, want once", name, sent, err)
		}
	}
}

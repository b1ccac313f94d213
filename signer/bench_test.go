package signer

import (
	"net/http"
	"testing"
)

func benchmarkRequest(t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet,
		"https://api.example.com/v1/weather?city=hangzhou&days=3&lang=zh&unit=metric&detail=yes", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Accept", "application/json")
	return req
}

func BenchmarkSignGetFiveParameters(b *testing.B) {
	s, req := testSigner(), benchmarkRequest(b)
	s.Now, s.NewNonce = nil, nil
	b.ReportAllocs()
	for b.Loop() {
		if err := s.Sign(req); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkRoundTripGetFiveParameters(b *testing.B) {
	s, req := testSigner(), benchmarkRequest(b)
	resp := &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}
	s.Base = roundTripFunc(func(*http.Request) (*http.Response, error) { return resp, nil })
	b.ReportAllocs()
	for b.Loop() {
		if _, err := s.RoundTrip(req); err != nil {
			b.Fatal(err)
		}
	}
}

func TestSignAllocations(t *testing.T) {
	s, req := testSigner(), benchmarkRequest(t)
	s.Now, s.NewNonce = nil, nil
	got := testing.AllocsPerRun(200, func() {
		if err := s.Sign(req); err != nil {
			t.Fatal(err)
		}
	})
	if want := 12.0; !raceEnabled && got > want {
		t.Errorf("signing a GET with five parameters: got %v allocations, want at most %v", got, want)
	}
}

package faults

import (
	"math"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
)

// Fine enough to tell a megabyte that the client keeps from the many that the
// fake gateways and toxiproxy do, by the place of allocation.
func init() { runtime.MemProfileRate = 64 << 10 }

// heap is what is in use after a collection, in bytes.
type heap struct{ client, gateway, all int64 }

// measureHeap estimates both from the samples of the memory profile.
func measureHeap() (h heap) {
	runtime.GC()
	runtime.GC() // the profile shows the state at the end of the last but one
	var records []runtime.MemProfileRecord
	for n, ok := runtime.MemProfile(nil, false); !ok; {
		records = make([]runtime.MemProfileRecord, n+100)
		if n, ok = runtime.MemProfile(records, false); ok {
			records = records[:n]
		}
	}
	for _, r := range records {
		objects := r.InUseObjects()
		if objects == 0 {
			continue
		}
		// An object of this size is in the profile with this probability.
		size := float64(r.InUseBytes()) / float64(objects)
		bytes := int64(float64(r.InUseBytes()) / (1 - math.Exp(-size/float64(runtime.MemProfileRate))))
		h.all += bytes
		switch sideOf(r.Stack()) {
		case "client":
			h.client += bytes
		case "gateway":
			h.gateway += bytes
		}
	}
	return h
}

// sideOf says whether the fake gateway allocated at this stack, or Transport,
// signer or the client side of net/http; empty for others.
func sideOf(stack []uintptr) (side string) {
	frames := runtime.CallersFrames(stack)
	for {
		frame, more := frames.Next()
		switch f := frame.Function; {
		case strings.HasPrefix(f, "github.com/apigw-go/apigw/gatewaytest."):
			return "gateway"
		case strings.HasPrefix(f, "github.com/apigw-go/apigw."),
			strings.HasPrefix(f, "github.com/apigw-go/apigw/signer."),
			strings.HasPrefix(f, "net/http.(*Transport)"), strings.HasPrefix(f, "net/http.(*persistConn)"):
			side = "client"
		}
		if !more {
			return side
		}
	}
}

// The measure itself is measured: what the Transport made and somebody keeps
// shows, and is gone when it is let go.
func TestMeasureHeap(t *testing.T) {
	tr := &apigw.Transport{
		Base: roundTripFunc(func(r *http.Request) (*http.Response, error) {
			return &http.Response{StatusCode: http.StatusNotFound, Body: http.NoBody, Request: r}, nil
		}),
	}
	kept := make([]*apigw.Error, 0, 4000)
	for range cap(kept) {
		req, err := http.NewRequest(http.MethodGet, "http://api.example.com/", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		decoded, _ := apigw.FromResponse(resp)
		kept = append(kept, decoded)
	}
	const megabyte = 1 << 20
	if got := measureHeap().client; got < megabyte {
		t.Errorf("with %d errors kept: got %d bytes of the client, want a megabyte at least", len(kept), got)
	}
	clear(kept)
	if got := measureHeap().client; got > megabyte {
		t.Errorf("after letting go: got %d bytes of the client, want less than a megabyte", got)
	}
}

type roundTripFunc func(*http.Request) (*http.Response, error)

func (f roundTripFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

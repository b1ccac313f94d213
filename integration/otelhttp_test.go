package integration

import (
	"net/http"
	"slices"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/otelapigw"
	"go.opentelemetry.io/contrib/instrumentation/net/http/otelhttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

var otelOutside = client{
	name:    "otelhttp outside (one span a request)",
	inject:  "&http.Client{Transport: otelhttp.NewTransport(t)}",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		return do(c, &http.Client{Transport: otelhttp.NewTransport(c.transport)})
	},
}

var otelInside = client{
	name:    "otelhttp inside (one span an attempt)",
	inject:  "&http.Client{Transport: &apigw.Transport{Base: otelhttp.NewTransport(base)}}",
	reached: "apigw.FromResponse(resp)",
	call: func(c call) (*apigw.Error, error) {
		c.transport.Base = otelhttp.NewTransport(c.transport.Base)
		return do(c, &http.Client{Transport: c.transport})
	},
}

func TestOtelHTTPSpans(t *testing.T) {
	for _, c := range []struct {
		name string
		wrap func(r *rig, option otelhttp.Option) http.RoundTripper
		want []string // names of the spans' statuses, in order
	}{
		{"outside", func(r *rig, o otelhttp.Option) http.RoundTripper {
			return otelhttp.NewTransport(r.transport, o)
		}, []string{"Unset"}},
		{"inside", func(r *rig, o otelhttp.Option) http.RoundTripper {
			r.transport.Base = otelhttp.NewTransport(r.transport.Base, o)
			return r.transport
		}, []string{"Error", "Error", "Unset"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := newRig(t, nil, gatewaytest.Outcome{Error: "D504CO", Times: 2})
			spans := tracetest.NewInMemoryExporter()
			provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
			hc := &http.Client{Transport: c.wrap(r, otelhttp.WithTracerProvider(provider))}
			if _, err := do(call{ctx: t.Context(), url: r.server.URL + "/v1/weather"}, hc); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, s := range spans.GetSpans() {
				got = append(got, s.Status.Code.String())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("spans: got %v, want %v", got, c.want)
			}
		})
	}
}

// With otelhttp outside, its span is the current one, and gets the events of
// the bridge.
func TestOtelHTTPSpanHasAttempts(t *testing.T) {
	r := newRig(t, nil, gatewaytest.Outcome{Error: "D504CO"})
	if _, err := otelapigw.Instrument(r.transport); err != nil {
		t.Fatal(err)
	}
	spans := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(spans))
	hc := &http.Client{Transport: otelhttp.NewTransport(r.transport, otelhttp.WithTracerProvider(provider))}
	if _, err := do(call{ctx: t.Context(), url: r.server.URL + "/v1/weather"}, hc); err != nil {
		t.Fatal(err)
	}
	got := spans.GetSpans()
	if len(got) != 1 {
		t.Fatalf("got %d spans, want 1", len(got))
	}
	var names []string
	for _, e := range got[0].Events {
		names = append(names, e.Name)
	}
	if want := []string{"apigw.attempt", "apigw.retry", "apigw.attempt", "apigw.call"}; !slices.Equal(names, want) {
		t.Errorf("events: got %v, want %v", names, want)
	}
}

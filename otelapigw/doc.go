// Package otelapigw reports what an [apigw.Transport] does to OpenTelemetry:
// every attempt as an event of the span that is current, and metrics in the
// words of the HTTP conventions.
//
//	t := &apigw.Transport{Base: signer}
//	if _, err := otelapigw.Instrument(t); err != nil { ... }
//	client := &http.Client{Transport: otelhttp.NewTransport(t)}
//
// It makes no spans of its own. With otelhttp around the Transport, as above,
// the span of a request gets all of its attempts as events; without any
// instrumentation, the events go to the span in the request's context.
//
// # Events
//
// "apigw.attempt" when an attempt ended, "apigw.retry" when another one was
// decided on, with the pause in apigw.retry.pause (seconds). An attempt has
// http.request.resend_count (from the second one on),
// http.response.status_code, error.type, apigw.request_id and
// apigw.attempt.duration (seconds, up to the head of the response). At the end
// the span itself gets http.request.resend_count and apigw.stop_reason, the
// first if there was a retry, the second if the request failed. The status of
// the span is left to its owner.
//
// # Metrics
//
//	http.client.request.duration         histogram, s, one value an attempt; has http.request.resend_count too
//	apigw.client.requests                counter, one a round trip, with apigw.stop_reason if it failed
//	apigw.client.retries                 counter, retries decided on, by the error.type that caused them
//	apigw.client.retry_budget.requests   gauge, requests of the last 5 to 10 seconds
//	apigw.client.retry_budget.retries    gauge, retries paid with what these earned, and not successful so far
//	apigw.client.retry_budget.available  gauge, retries that would be permitted now
//	apigw.client.retry_budget.denied     counter, retries refused since the start
//
// The attributes are http.request.method, server.address and server.port,
// http.response.status_code where there was a response, and error.type where
// it failed. The budget has server.address, and server.port where the URLs say
// it. Leave http.client.request.duration out with [WithoutRequestDuration] where
// otelhttp records it for the same requests.
//
// # error.type
//
// The code of the gateway if the catalog has it ("D503CB"), else the class of
// the failure ("quota", "throttled"), else the status ("503"). Where there was
// no response: "timeout", "canceled", "name_resolution", "connection_refused",
// "connection" or "tls". All of these are from closed sets, so that no server
// can make series at will.
//
// No attribute holds a path, a query, a header of the request or a text of the
// gateway, which may repeat what the request carried.
//
// Conventions: https://opentelemetry.io/docs/specs/semconv/http/
package otelapigw

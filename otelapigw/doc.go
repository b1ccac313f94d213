// Package otelapigw reports what an [apigw.Transport] does to OpenTelemetry:
// every attempt as an event of the span that is current, and metrics in the
// words of the HTTP conventions.
//
//	t := &apigw.Transport{Base: otelhttp.NewTransport(signer)}
//	if _, err := otelapigw.Instrument(t); err != nil { ... }
//	client := &http.Client{Transport: t}
//
// It makes no spans of its own. With otelhttp below the Transport, as above,
// each attempt has a CLIENT span and its values in http.client.request.duration,
// as the conventions want it; what the Transport did between them stands as
// events on the span in the request's context, that of the caller. With otelhttp
// around the Transport, the one span of the request gets the events.
//
// # Events
//
// "apigw.attempt" when an attempt ended, "apigw.retry" when another one was
// decided on, with the delay in apigw.retry.delay (seconds), "apigw.call" at the
// end. An attempt has http.request.resend_count (from the second one on),
// http.response.status_code, error.type, apigw.request_id and
// apigw.attempt.duration (seconds, up to the head of the response). The call
// has http.request.resend_count if there was a retry, http.response.status_code,
// and if it failed error.type, apigw.stop_reason and apigw.reached.
//
// A span of kind CLIENT is that of the request and gets
// http.request.resend_count as well. Nothing is set on other spans: a caller's
// can have many calls, whose attributes would mix. The status of a span is left
// to its owner.
//
// # Metrics
//
//	http.client.request.duration         histogram, s, a value for each attempt; only with WithRequestDuration
//	apigw.client.requests                counter of round trips, with apigw.stop_reason if they failed
//	apigw.client.retries                 counter of retries decided on, by the error.type that caused them
//	apigw.client.retry_budget.requests   gauge, requests of the last 5 to 10 seconds
//	apigw.client.retry_budget.retries    gauge, retries paid with what these earned, and not successful so far
//	apigw.client.retry_budget.available  gauge, retries that would be permitted now
//	apigw.client.retry_budget.denied     counter, retries refused since the start
//
// The attributes are http.request.method, server.address and server.port,
// http.response.status_code if there was a response, and error.type if it
// failed; the duration has network.protocol.version too. The budget has
// server.address, and server.port if the URLs say it. Of each Transport the
// first 200 hosts have series of their own; the others share the server.address
// "_OTHER". Known methods are those of the conventions, or of the environment
// variable OTEL_INSTRUMENTATION_HTTP_KNOWN_METHODS when Instrument is called;
// others are "_OTHER".
//
// http.client.request.duration is off unless asked for: otelhttp records it, and
// both together would count each request twice.
//
// # error.type
//
// The code of the gateway if the catalog has it ("D503CB"), else the class of
// the failure ("quota", "throttled"), else the status ("503"). If there was
// no response: "timeout", "canceled", "name_resolution", "connection_refused",
// "connection" or "tls". All of these are from closed sets, so that no server
// can make series at will.
//
// No attribute holds a path, a query, a header of the request or a text of the
// gateway, which may echo what the request carried.
//
// Conventions: https://opentelemetry.io/docs/specs/semconv/http/
package otelapigw

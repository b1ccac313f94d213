package otelapigw

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"

	"strconv"
	"syscall"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"go.opentelemetry.io/otel/attribute"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
)

const (
	errorTypeKey = semconv.ErrorTypeKey
	statusKey    = semconv.HTTPResponseStatusCodeKey
)

// target says where a request goes, without path and query.
func (in *instruments) target(req *http.Request) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 8)
	attrs = append(attrs, semconv.HTTPRequestMethodKey.String(in.method(req.Method)))
	if req.URL == nil {
		return attrs
	}
	return append(attrs, in.places.name(req.URL.Hostname(), req.URL.Port(), req.URL.Scheme)...)
}

// server names a host. The port follows from the scheme where it is not said.
func server(host, port, scheme string) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 2)
	if host != "" {
		attrs = append(attrs, semconv.ServerAddress(host))
	}
	if n, err := strconv.ParseUint(port, 10, 16); err == nil {
		return append(attrs, semconv.ServerPort(int(n)))
	}
	switch scheme {
	case "http":
		attrs = append(attrs, semconv.ServerPort(80))
	case "https":
		attrs = append(attrs, semconv.ServerPort(443))
	}
	return attrs
}

// appendResends adds the number of the sending, which the conventions count
// from 1 for the first retry.
func appendResends(attrs []attribute.KeyValue, attempts int) []attribute.KeyValue {
	if attempts > 1 {
		attrs = append(attrs, semconv.HTTPRequestResendCount(attempts-1))
	}
	return attrs
}

// outcomeOf says what one attempt came to.
func outcomeOf(a apigw.Attempt) []attribute.KeyValue {
	attrs := make([]attribute.KeyValue, 0, 5)
	if a.Status != 0 {
		attrs = append(attrs, statusKey.Int(a.Status))
	}
	if t := errorType(a); t != "" {
		attrs = append(attrs, errorTypeKey.String(t))
	}
	return attrs
}

// errorType returns the error.type of one attempt, "" if it succeeded.
func errorType(a apigw.Attempt) string {
	switch {
	case a.Err != nil:
		return causeType(a.Err)
	case a.Status < 400 && a.Class == catalog.ClassUnknown:
		return ""
	}
	return answerType(a.Status, a.Code, a.Class, a.Origin)
}

// errorTypeOf returns the error.type of a failed request.
func errorTypeOf(e *apigw.Error) string {
	if e.Status == 0 || e.Err != nil {
		return causeType(e.Err)
	}
	return answerType(e.Status, e.Code, e.Entry.Class, e.Origin)
}

// answerType names a failure by a closed set. A code counts only if the catalog
// has it: the rest of the wire is not trusted to name series.
func answerType(status int, code catalog.Code, class catalog.Class, origin apigw.Origin) string {
	if _, known := catalog.Lookup(code); known {
		return string(code)
	}
	if class != catalog.ClassUnknown && refused(origin) {
		return class.String()
	}
	return strconv.Itoa(status)
}

// refused reports whether something in front of the backend made the response.
func refused(o apigw.Origin) bool {
	return o == apigw.OriginGateway || o == apigw.OriginProxy || o == apigw.OriginFunctionCompute
}

// causeType names the cause where there was no response.
func causeType(err error) string {
	var (
		timeout interface{ Timeout() bool }
		dns     *net.DNSError
		refused *tls.CertificateVerificationError
		record  tls.RecordHeaderError
	)
	switch {
	case errors.Is(err, context.Canceled):
		return "canceled"
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return "timeout"
	case errors.As(err, &dns):
		return "name_resolution"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection_refused"
	case errors.As(err, &refused), errors.As(err, &record):
		return "tls"
	}
	return "connection"
}

// requestID returns the id of an attempt as a log shows it: without what the
// request carried, "" if it does not look like one.
func requestID(a apigw.Attempt) string {
	for _, attr := range a.LogValue().Group() {
		if attr.Key == "request_id" {
			return attr.Value.String()
		}
	}
	return ""
}

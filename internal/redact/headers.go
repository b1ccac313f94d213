package redact

import "strings"

// Mask stands where a secret was.
const Mask = "***"

// harmless lists the request headers whose values may be shown. Every other
// value is a secret: nobody can list the names under which keys are sent.
var harmless = map[string]bool{
	"accept": true, "accept-charset": true, "accept-encoding": true, "accept-language": true,
	"access-control-request-headers": true, "access-control-request-method": true,
	"cache-control": true, "connection": true, "content-disposition": true, "content-encoding": true,
	"content-language": true, "content-length": true, "content-md5": true, "content-type": true,
	"date": true, "expect": true, "host": true, "if-modified-since": true, "if-unmodified-since": true,
	"origin": true, "pragma": true, "range": true, "te": true, "trailer": true, "transfer-encoding": true,
	"upgrade": true, "user-agent": true, "via": true, "x-ca-nonce": true, "x-ca-request-mode": true,
	"x-ca-signature-headers": true, "x-ca-signature-method": true, "x-ca-stage": true,
	"x-ca-timestamp": true, "x-ca-version": true, "x-request-id": true, "traceparent": true,
}

// IsHarmlessHeader reports whether the value of a request header may be shown.
// Letter case does not count.
func IsHarmlessHeader(name string) bool { return harmless[strings.ToLower(name)] }

// responseOnly lists what a response may show beyond the headers of a request.
var responseOnly = map[string]bool{
	"age": true, "allow": true, "alt-svc": true, "content-range": true, "etag": true, "keep-alive": true,
	"last-modified": true, "latency": true, "retry-after": true, "retry-after-ms": true, "server": true, "vary": true,
	"ratelimit": true, "ratelimit-policy": true, "ratelimit-limit": true, "ratelimit-remaining": true,
	"ratelimit-reset": true,
	"x-ca-debug-info": true, "x-ca-error-code": true, "x-ca-error-message": true, "x-ca-request-id": true,
	"x-envoy-overloaded": true, "x-envoy-ratelimited": true, "x-envoy-upstream-service-time": true,
	"x-fc-error-type": true, "x-fc-request-id": true, "eagleeye-traceid": true, "x-powered-by": true,
	"x-ratelimit-limit": true, "x-ratelimit-remaining": true, "x-ratelimit-reset": true,
	"x-tokenratelimit-limit": true, "x-tokenratelimit-remaining": true, "x-tokenratelimit-reset": true,
	"access-control-allow-headers": true, "access-control-allow-methods": true, "access-control-allow-origin": true,
	"access-control-expose-headers": true, "access-control-max-age": true, "strict-transport-security": true,
}

// IsHarmlessResponseHeader reports whether the value of a response header may
// be shown, after [Masker.Text]: it can still echo what the request carried.
func IsHarmlessResponseHeader(name string) bool {
	name = strings.ToLower(name)
	return harmless[name] || responseOnly[name]
}

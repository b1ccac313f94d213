package apigw

import "github.com/apigw-go/apigw/catalog"

// Class sentinels for [errors.Is]. An [Error] matches the one of its class.
var (
	// ErrThrottled: a rate limit refused the call.
	ErrThrottled = sentinel("throttled", catalog.ClassThrottled)
	// ErrQuota: the purchased calls are used up or expired.
	ErrQuota = sentinel("quota", catalog.ClassQuota)
	// ErrBilling: an account owes money.
	ErrBilling = sentinel("billing", catalog.ClassBilling)
	// ErrAuth: AppKey, AppCode, token or authorization.
	ErrAuth = sentinel("auth", catalog.ClassAuth)
	// ErrSignature: signature or Content-MD5.
	ErrSignature = sentinel("signature", catalog.ClassSignature)
	// ErrReplay: timestamp or nonce.
	ErrReplay = sentinel("replay", catalog.ClassReplay)
	// ErrAccessControl: refused by address, network, origin or law.
	ErrAccessControl = sentinel("access control", catalog.ClassAccessControl)
	// ErrBadRequest: the gateway does not accept the request.
	ErrBadRequest = sentinel("bad request", catalog.ClassBadRequest)
	// ErrNotFound: no such API, domain or stage.
	ErrNotFound = sentinel("not found", catalog.ClassNotFound)
	// ErrPlugin: a plug-in of the API is misconfigured.
	ErrPlugin = sentinel("plugin", catalog.ClassPlugin)
	// ErrGateway: the gateway itself failed.
	ErrGateway = sentinel("gateway", catalog.ClassGateway)
	// ErrBackend: the API's backend failed, timed out, could not be reached
	// or is held back by the circuit breaker.
	ErrBackend = sentinel("backend", catalog.ClassBackendConnect, catalog.ClassBackendTimeout,
		catalog.ClassBackendError, catalog.ClassCircuitOpen)
)

type classSentinel struct {
	name    string
	classes uint32 // one bit a class
}

func (s *classSentinel) Error() string { return "apigw: " + s.name }

func sentinel(name string, classes ...catalog.Class) error {
	s := &classSentinel{name: name}
	for _, c := range classes {
		s.classes |= 1 << c
	}
	return s
}

// has reports whether s stands for a class. No sentinel stands for the unknown
// one.
func (s *classSentinel) has(c catalog.Class) bool {
	return c != catalog.ClassUnknown && s.classes&(1<<c) != 0
}

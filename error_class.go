package apigw

import "github.com/apigw-go/apigw/catalog"

// Class sentinels for [errors.Is]. An [Error] matches the one of its class.
var (
	ErrThrottled     = sentinel("throttled", catalog.ClassThrottled)          // a rate limit refused the call
	ErrQuota         = sentinel("quota", catalog.ClassQuota)                  // purchased calls used up or expired
	ErrBilling       = sentinel("billing", catalog.ClassBilling)              // an account owes money
	ErrAuth          = sentinel("auth", catalog.ClassAuth)                    // AppKey, AppCode, token or authorization
	ErrSignature     = sentinel("signature", catalog.ClassSignature)          // signature or Content-MD5
	ErrReplay        = sentinel("replay", catalog.ClassReplay)                // timestamp or nonce
	ErrAccessControl = sentinel("access control", catalog.ClassAccessControl) // refused by address, network, origin or law
	ErrBadRequest    = sentinel("bad request", catalog.ClassBadRequest)       // the gateway does not accept the request
	ErrNotFound      = sentinel("not found", catalog.ClassNotFound)           // no such API, domain or stage
	ErrPlugin        = sentinel("plugin", catalog.ClassPlugin)                // a plug-in of the API is misconfigured
	ErrGateway       = sentinel("gateway", catalog.ClassGateway)              // the gateway itself failed
	// ErrBackend: the API's backend failed, timed out, could not be reached
	// or is held back by the circuit breaker.
	ErrBackend = sentinel("backend", catalog.ClassBackendConnect, catalog.ClassBackendTimeout, catalog.ClassBackendError, catalog.ClassCircuitOpen)
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

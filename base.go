package apigw

import (
	"fmt"
	"net/http"
	"reflect"
)

// sendOnce sends req through base. A signer that could send again by itself is
// asked not to: the Transport decides on retries, counts and shows them.
func sendOnce(base http.RoundTripper, req *http.Request) (*http.Response, error) {
	if s, ok := base.(interface {
		SendOnce(*http.Request) (*http.Response, error)
	}); ok {
		return s.SendOnce(req)
	}
	return base.RoundTrip(req)
}

// sound returns err, of a Base, unless it is a nil pointer that became an error,
// or its text panics: whoever looks at that would panic, too.
func sound(err error) error {
	v := reflect.ValueOf(err)
	if v.Kind() == reflect.Pointer && v.IsNil() {
		return fmt.Errorf("the Base transport returned a nil %T as its error", err)
	}
	if p := guard(func() error { _ = err.Error(); return nil }); p != nil {
		return fmt.Errorf("the Base transport returned a %T without a text: %w", err, p)
	}
	return err
}

// renews reports that base gives each attempt of req a nonce of its own, as
// signer.Signer does.
func renews(base http.RoundTripper, req *http.Request) bool {
	r, ok := base.(interface{ Renews(*http.Request) bool })
	return ok && r.Renews(req)
}

// closeIdle closes the connections of base that carry no request, if it can.
func closeIdle(base http.RoundTripper) {
	if c, ok := base.(interface{ CloseIdleConnections() }); ok {
		c.CloseIdleConnections()
	}
}

package apigw

import (
	"context"
	"net/http"
)

// FromResponse returns the decoded failure that [Transport] attached to resp,
// whatever wrapped the response since. It returns nil and false for a response
// below 400, one that did not come through a Transport, and nil.
func FromResponse(resp *http.Response) (*Error, bool) {
	if resp == nil || resp.Request == nil || resp.StatusCode < 400 {
		return nil, false
	}
	e, ok := resp.Request.Context().Value(errorKey{}).(*Error)
	return e, ok
}

type errorKey struct{}

// errorContext carries an Error. It is a context of its own so that it can lie
// in the same allocation.
type errorContext struct {
	context.Context
	err *Error
}

func (c *errorContext) Value(key any) any {
	if key == (errorKey{}) {
		return c.err
	}
	return c.Context.Value(key)
}

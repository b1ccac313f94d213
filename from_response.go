package apigw

import (
	"context"
	"net/http"
	"reflect"
)

// FromResponse returns the decoded failure that [Transport] attached to resp,
// whatever wrapped the response since. It returns nil and false for a success,
// for a response that did not come through a Transport, and for nil. A response
// below 400 is a success unless one of [RetryPolicy.SuccessMarks] fits.
func FromResponse(resp *http.Response) (*Error, bool) {
	if resp == nil || resp.Request == nil {
		return nil, false
	}
	c, ok := resp.Request.Context().Value(errorKey{}).(*errorContext)
	if !ok || !c.belongsTo(resp) {
		return nil, false
	}
	return c.err, true
}

type errorKey struct{}

// errorContext carries an Error on the context of a response's request. That
// survives what wraps the response's body later, such as http.Client.Timeout.
// It is a context of its own so that it can lie in the same allocation.
type errorContext struct {
	context.Context
	err *Error

	// What the response is recognised by. Somebody may derive the context of
	// another request from this one, and its response is another one. The
	// addresses keep neither request nor header.
	status    int
	requestID string
	request   uintptr
	header    uintptr
}

func (c *errorContext) Value(key any) any {
	if key == (errorKey{}) {
		return c
	}
	return c.Context.Value(key)
}

// belongsTo reports whether the Error is that of resp: it, or a copy of it, has
// the same request, the same header or the same request id.
func (c *errorContext) belongsTo(resp *http.Response) bool {
	return c.status == resp.StatusCode &&
		(c.request == address(resp.Request) || c.header == address(resp.Header) && len(resp.Header) > 0 ||
			c.requestID != "" && c.requestID == requestIDOf(resp.Header))
}

// attach makes e reachable from resp, through c. sent is the request to use if
// the response names none.
func (c *errorContext) attach(resp *http.Response, sent *http.Request, e *Error) {
	req := resp.Request
	if req == nil {
		req = sent
	}
	ctx := req.Context()
	if old, ok := ctx.(*errorContext); ok {
		// Of a Transport below, or of a Base that returns one response again
		// and again.
		ctx = old.Context
	}
	resp.Request = req.WithContext(c)
	*c = errorContext{
		Context: ctx, err: e, status: resp.StatusCode, requestID: requestIDOf(resp.Header),
		request: address(resp.Request), header: address(resp.Header),
	}
}

func address(pointer any) uintptr { return reflect.ValueOf(pointer).Pointer() }

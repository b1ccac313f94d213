package apigw

import (
	"encoding/base64"
	"errors"
	"net"
	"net/http"
	"net/url"
	"reflect"
)

// provenBy returns err, marked as not sent if that is proven because t itself
// returned it: a dial in the chain is its own, whatever the user's DialContext
// wrapped it in.
func provenBy(t *http.Transport, req *http.Request, err error) error {
	if notSent(req, err) {
		return err
	}
	if refusal := connectRefused(t, req, err); refusal != nil {
		return refusal
	}
	for e := range wrappedBy(err, ofSomebodyElse) {
		if op, ok := e.(*net.OpError); ok {
			if op.Op == "dial" {
				return &unsentError{err}
			}
			return err
		}
	}
	return err
}

// sender follows those RoundTrippers which say that they send each request
// once, and through which other one.
func sender(base http.RoundTripper) http.RoundTripper {
	for range maxErrors {
		through, ok := base.(interface{ SendsThrough() http.RoundTripper })
		if !ok {
			break
		}
		base = through.SendsThrough()
	}
	return base
}

// unsentError marks an error as one before which nothing was sent.
type unsentError struct{ error }

func (e *unsentError) Unwrap() error { return e.error }
func (e *unsentError) NotSent() bool { return true }

// proxyError is the refusal of a proxy to connect to the host.
type proxyError struct {
	err    error
	status int // 0 if the proxy gave no reason phrase
}

func (e *proxyError) Error() string { return "the proxy refused CONNECT: " + e.err.Error() }
func (e *proxyError) Unwrap() error { return e.err }
func (e *proxyError) NotSent() bool { return true }

// Permanent reports whether the proxy wants other credentials or another host.
func (e *proxyError) Permanent() bool {
	return e.status == http.StatusForbidden || e.status == http.StatusProxyAuthRequired
}

// connectRefused knows the error of an *http.Transport whose proxy refuses
// CONNECT: errors.New of the bare reason phrase. From anything else than an
// *http.Transport such a text proves nothing, and neither does a phrase that is
// not the one of its status in net/http.
func connectRefused(t *http.Transport, req *http.Request, err error) error {
	if t.Proxy == nil || req.URL.Scheme != "https" || reflect.TypeOf(err) != plainError {
		return nil
	}
	text := err.Error()
	if text == "unknown status code" || text == "" { // a status line without a phrase
		return &proxyError{errors.New("no reason given"), 0}
	}
	for status := 300; status < 600; status++ {
		if http.StatusText(status) == text {
			return &proxyError{err, status}
		}
	}
	return nil
}

var plainError = reflect.TypeOf(errors.New(""))

// askedOfProxy returns the secrets of a CONNECT request as base sends it, nil if
// it sends none. The text of a refusal is the proxy's.
func askedOfProxy(base http.RoundTripper, req *http.Request) *http.Request {
	t, ok := sender(base).(*http.Transport)
	if !ok || t.Proxy == nil || req.URL == nil || req.URL.Scheme != "https" {
		return nil
	}
	var proxy *url.URL
	if guard(func() (err error) { proxy, err = t.Proxy(req); return err }) != nil || proxy == nil {
		return nil
	}
	connect := &http.Request{URL: proxy, Header: t.ProxyConnectHeader}
	if password, ok := proxy.User.Password(); ok {
		connect.Header = t.ProxyConnectHeader.Clone()
		if connect.Header == nil {
			connect.Header = http.Header{}
		}
		credentials := proxy.User.Username() + ":" + password
		connect.Header["Proxy-Authorization"] = []string{"Basic " +
			base64.StdEncoding.EncodeToString([]byte(credentials))}
	}
	return connect
}

package signer

import (
	"fmt"
	"net/http"
	"strings"
)

// Error says why a request was not signed. Nothing was sent, and another
// attempt would fail the same way. Its text holds no value of the request.
type Error struct {
	// Field is the field of [Signer] that is wrong, such as "AppSecret" or
	// "Hosts[0]"; empty where the request is at fault.
	Field string

	// Reason says what is wrong and what to do.
	Reason string

	// Err is the cause, such as a body that could not be read; nil for none.
	Err error
}

func (e *Error) Error() string {
	text := "signer: "
	if e.Field != "" {
		text += e.Field + " "
	}
	text += e.Reason
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Permanent is true: sending the request again is useless.
func (e *Error) Permanent() bool { return true }

// NotSent is true, for apigw.Transport.
func (e *Error) NotSent() bool { return true }

func refused(reason string) error { return &Error{Reason: reason} }

func misconfigured(field, reason string) error { return &Error{Field: field, Reason: reason} }

// check reports what is wrong with the fields of s. It runs for every request;
// it costs no allocation where nothing is wrong.
func (s *Signer) check() error {
	switch {
	case s.AppCode != "" && (s.AppKey != "" || s.AppSecret != ""):
		return misconfigured("AppCode",
			"is set together with AppKey or AppSecret; set AppCode, or AppKey and AppSecret")
	case s.AppCode == "" && s.AppKey == "" && s.AppSecret == "":
		return misconfigured("AppKey",
			"is empty; set AppKey and AppSecret, or AppCode, from the console's page of the application")
	case s.AppCode == "" && s.AppKey == "":
		return misconfigured("AppKey", "is empty; set it to the key that belongs to AppSecret")
	case s.AppCode == "" && s.AppSecret == "":
		return misconfigured("AppSecret", "is empty; set it to the secret that belongs to AppKey")
	case s.Algorithm > HmacSHA1:
		return misconfigured("Algorithm", "is unknown; use HmacSHA256 or HmacSHA1")
	case s.AppCode == "" && s.AppCodeParameter != "":
		return misconfigured("AppCodeParameter", "is set without AppCode; set AppCode, or leave it empty")
	}
	if s.AppCode == masked || s.AppSecret == masked {
		return misconfigured("AppSecret",
			"or AppCode is \"***\", as a Secret is printed and encoded; read it from where it is kept")
	}
	// A newline at the end, from reading a file, is the classic here.
	for _, f := range [...]struct{ name, value string }{
		{"AppKey", s.AppKey}, {"AppSecret", string(s.AppSecret)}, {"AppCode", string(s.AppCode)}, {"Stage", s.Stage},
		{"AppCodeParameter", s.AppCodeParameter},
	} {
		if strings.TrimSpace(f.value) != f.value {
			return misconfigured(f.name,
				"begins or ends with a blank or a newline; trim it, for example with strings.TrimSpace")
		}
	}
	if len(s.Hosts) == 0 {
		return misconfigured("Hosts",
			"is empty; name the hosts that may see the credentials, for example \"api.example.com\"")
	}
	for i, entry := range s.Hosts {
		if reason := badHost(entry); reason != "" {
			return misconfigured(fmt.Sprintf("Hosts[%d]", i), reason)
		}
	}
	for i, name := range s.SignedHeaders {
		if reason := badSignedHeader(name); reason != "" {
			return misconfigured(fmt.Sprintf("SignedHeaders[%d]", i), reason)
		}
	}
	return nil
}

// unsignable headers are written or rewritten below a RoundTripper.
var unsignable = [...]string{
	"Host", "User-Agent", "Accept-Encoding", "Content-Length", "Connection", "Transfer-Encoding",
	"Trailer", "Te", "Upgrade", "Keep-Alive", "Proxy-Connection", "Proxy-Authorization", "Expect", "Via", "Forwarded",
}

func badSignedHeader(name string) string {
	if !isToken(name) || strings.Contains(name, ",") {
		return "is not the name of a header; write one name, without a colon, for each element"
	}
	for _, n := range unsignable {
		if sameName(name, n) {
			return "is " + n + ", which net/http or a proxy writes after the signature; remove it"
		}
	}
	if hasPrefixFold(name, "X-Forwarded-") {
		return "is " + http.CanonicalHeaderKey(name) + ", which proxies write after the signature; remove it"
	}
	return ""
}

package signer

import (
	"net/http"
	"net/url"
	"strings"
)

// DefaultAppCodeParameter is the name of the query parameter to try first. The
// help pages say that an AppCode may be sent in "Header & Query"; the spelling
// of the parameter is from memory and not verified.
const DefaultAppCodeParameter = "AppCode"

// applyAppCode puts the AppCode on req, in the header or in the query.
func (s *Signer) applyAppCode(req *http.Request) error {
	if !s.AllowPlainHTTP && !sameName(req.URL.Scheme, "https") && !s.staysHere(req) {
		return &Error{Field: "AppCode", Reason: "is not sent over plain HTTP, where everyone on the way can read it; " +
			"use https or set AllowPlainHTTP (this machine is \"localhost\", 127.0.0.1 or [::1], and not behind a " +
			"proxy)"}
	}
	other, n := lookup(req.Header, "Authorization")
	foreign := n > 1 || trim(other) != "" && !isAppCode(other)
	if foreign && s.AppCodeParameter == "" {
		return refused("the request has an Authorization of its own, which AppCode needs for itself; " +
			"send one of the two, or set AppCodeParameter")
	}
	// A nonce and a timestamp may stay: they are not part of a signature here.
	for _, name := range [...]string{"X-Ca-Key", "X-Ca-Signature", "X-Ca-Signature-Headers", "X-Ca-Signature-Method"} {
		remove(req.Header, name)
	}
	if !foreign {
		remove(req.Header, "Authorization")
	}
	if s.AppCodeParameter == "" {
		req.Header["Authorization"] = []string{"APPCODE " + string(s.AppCode)}
	} else {
		s.setAppCodeParameter(req)
	}
	if s.Stage != "" {
		remove(req.Header, "X-Ca-Stage")
		req.Header["X-Ca-Stage"] = []string{s.Stage}
	}
	return nil
}

// isAppCode reports whether an Authorization is an AppCode, whose scheme word
// may have any letter case, as that of every Authorization (RFC 9110, 11.1).
func isAppCode(authorization string) bool {
	word, _, _ := strings.Cut(strings.ReplaceAll(trim(authorization), "\t", " "), " ")
	return sameName(word, "APPCODE")
}

// setAppCodeParameter writes the code into the query, in place of one that is
// there. The URL is replaced, not changed: the caller may have it.
func (s *Signer) setAppCodeParameter(req *http.Request) {
	pieces := s.piecesWithout(req.URL.RawQuery, func(name, _ string) bool { return name == s.AppCodeParameter })
	pieces = append(pieces, url.QueryEscape(s.AppCodeParameter)+"="+url.QueryEscape(string(s.AppCode)))
	withQuery(req, pieces)
}

// stripAppCode takes the code off a request for a host that must not see it,
// wherever it stands.
func (s *Signer) stripAppCode(req *http.Request) {
	for key, values := range req.Header {
		for _, v := range values {
			if sameName(key, "Authorization") && isAppCode(v) && strings.Contains(v, string(s.AppCode)) {
				delete(req.Header, key)
			}
		}
	}
	pieces := s.piecesWithout(req.URL.RawQuery, func(_, value string) bool { return value == string(s.AppCode) })
	if query := strings.Join(pieces, "&"); query != req.URL.RawQuery {
		withQuery(req, pieces)
	}
}

// piecesWithout splits a query and leaves out the parameters that drop names.
func (s *Signer) piecesWithout(query string, drop func(name, value string) bool) []string {
	var pieces []string
	for piece := range strings.SplitSeq(query, "&") {
		name, value, _ := strings.Cut(piece, "=")
		if query != "" && !drop(decode(name, true, false), decode(value, true, false)) {
			pieces = append(pieces, piece)
		}
	}
	return pieces
}

func withQuery(req *http.Request, pieces []string) {
	u := *req.URL
	u.RawQuery = strings.Join(pieces, "&")
	req.URL = &u
}

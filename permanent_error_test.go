package apigw

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// The errors are net/http's own, from real sockets where there is one.
func TestRealErrors(t *testing.T) {
	secure := httptest.NewTLSServer(nil)
	secure.Config.ErrorLog = log.New(io.Discard, "", 0)
	defer secure.Close()
	plain := httptest.NewServer(nil)
	defer plain.Close()
	alert, _ := listen(t, func(conn net.Conn) { // as OpenSSL answers what is not TLS
		conn.Read(make([]byte, 512))
		conn.Write([]byte("\x15\x03\x01\x00\x02\x02\x46"))
	})
	torn, _ := listen(t, func(conn net.Conn) { conn.Read(make([]byte, 512)) })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	silent, _ := listen(t, func(conn net.Conn) { io.Copy(io.Discard, conn) })

	const no, maybe = catalog.ReachedNo, catalog.ReachedMaybe
	for name, c := range map[string]struct {
		url     string
		edit    func(*http.Request)
		stop    StopReason
		reached catalog.Reached
	}{
		"nobody listens":          {"http://" + closed.Addr().String(), nil, StopMaxAttempts, no},
		"unknown authority":       {secure.URL, nil, StopPermanent, no},
		"HTTPS to an HTTP port":   {strings.Replace(plain.URL, "http", "https", 1), nil, StopPermanent, no},
		"HTTP to a port with TLS": {"http://" + alert, nil, StopPermanent, maybe},
		"TLS handshake is silent": {"https://" + silent, nil, StopMaxAttempts, no},
		"connection torn":         {"http://" + torn, nil, StopMayHaveRun, maybe},
		"invalid port":            {"http://127.0.0.1:99999", nil, StopPermanent, no},
		"scheme":                  {"ftp://" + torn, nil, StopPermanent, no},
		"no host":                 {"http:///orders", nil, StopPermanent, no},
		"method":                  {plain.URL, func(r *http.Request) { r.Method = "P OST" }, StopPermanent, no},
		"header value": {
			plain.URL, func(r *http.Request) { r.Header.Set("X-Order", "a\nb") }, StopPermanent, no,
		},
		"header name": {
			plain.URL, func(r *http.Request) { r.Header["X Order"] = []string{"a"} }, StopPermanent, no,
		},
		"trailer": {
			plain.URL, func(r *http.Request) { r.Trailer = http.Header{"X Order": nil} }, StopPermanent, no,
		},
		"control character": {
			plain.URL, func(r *http.Request) { r.URL.RawQuery = "a=\x01" }, StopPermanent, maybe,
		},
		"too long for its length": {plain.URL, func(r *http.Request) { r.ContentLength = 3 }, StopPermanent, maybe},
		"length without a body": {
			plain.URL, func(r *http.Request) { r.Body, r.GetBody, r.ContentLength = nil, nil, 3 }, StopPermanent, maybe,
		},
	} {
		t.Run(name, func(t *testing.T) {
			base := &http.Transport{TLSHandshakeTimeout: 100 * time.Millisecond}
			defer base.CloseIdleConnections()
			req := newRequest(t, http.MethodPost, "order")
			req.URL = mustParse(t, c.url)
			req.Host = ""
			if c.edit != nil {
				c.edit(req)
			}
			e := failWithoutResponse(t, &Transport{Base: base}, req)
			if e.Stop != c.stop || e.Reached != c.reached {
				t.Errorf("stopped by %v, reached %v; want %v, %v: %v", e.Stop, e.Reached, c.stop, c.reached, e)
			}
		})
	}
}

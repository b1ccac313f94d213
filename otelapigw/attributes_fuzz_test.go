package otelapigw

import (
	"net/http"
	"strconv"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
)

// FuzzErrorType: whatever a server sends, error.type is a code of the catalog,
// a class or the status.
func FuzzErrorType(f *testing.F) {
	f.Add(503, "D503CB", "Backend circuit breaker")
	f.Add(403, "", "Throttled by USER Flow Control")
	f.Add(400, "I400ZZ", "")
	f.Add(400, "series-1", "Invalid Signature, Server StringToSign:`GET#secret`")
	f.Add(200, "", "OK")
	classes := map[string]bool{}
	for e := range catalog.All() {
		classes[e.Class.String()] = true
	}
	f.Fuzz(func(t *testing.T, status int, code, message string) {
		if status < 100 || status > 999 { // net/http has no others
			return
		}
		a := apigw.Attempt{Status: status, Code: catalog.Code(code), Message: message}
		h := http.Header{"X-Ca-Error-Code": {code}, "X-Ca-Error-Message": {message}}
		if e, failed := apigw.ClassifyBody(status, h, []byte(message)); failed {
			a.Code, a.Class, a.Origin = e.Code, e.Entry.Class, e.Origin
		}
		got := errorType(a)
		if _, ok := catalog.Lookup(catalog.Code(got)); ok || classes[got] || got == strconv.Itoa(status) || got == "" &&
			status < 400 {
			return
		}
		t.Errorf("got %q for status %d, code %q, text %q", got, status, code, message)
	})
}

package gatewaytest_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/signer"
)

// higress returns a gateway of the newer generation with two consumers, of
// which the second one may not call.
func higress(p gatewaytest.Plugins) *gatewaytest.Gateway {
	return &gatewaytest.Gateway{
		Dialect: catalog.GenerationHigress, Now: newClock().now, Plugins: p,
		Apps: []gatewaytest.App{
			{AppKey: "first", AppSecret: "1", AppCode: "code1"}, {AppKey: "second", AppSecret: "2", AppCode: "code2",
				Unauthorized: true}},
		Routes: []gatewaytest.Route{{Pattern: "/items"}},
	}
}

// line shows status, WWW-Authenticate and body of an answer.
func line(w *httptest.ResponseRecorder) string {
	parts := []string{fmt.Sprint(w.Code), w.Header().Get("WWW-Authenticate"), w.Body.String()}
	return strings.Join(strings.Fields(strings.Join(parts, " ")), " ")
}

func TestHmacAuthAsThePlugInIs(t *testing.T) {
	old := epoch.Add(-10 * 365 * 24 * time.Hour)
	offset := gatewaytest.Plugins{DateOffset: time.Minute}
	first := func(q request) request {
		q.key, q.secret = "first", "1"
		return q
	}
	for name, tt := range map[string]struct {
		plugins gatewaytest.Plugins
		q       request
		want    string
	}{
		"no date is looked at": {gatewaytest.Plugins{}, first(request{at: old}), served},
		"nor one that is a word": {gatewaytest.Plugins{},
			first(request{header: map[string]string{"X-Ca-Timestamp": "now"}}), served},
		"unless it is configured": {offset, first(request{at: old}), "400 Invalid Date"},
		"then it must be there": {offset,
			first(request{header: map[string]string{"X-Ca-Timestamp": " "}}), "400 Invalid Date"},
		"seconds": {offset,
			first(request{header: map[string]string{"X-Ca-Timestamp": fmt.Sprint(epoch.Unix())}}), served},
		"Date before X-Ca-Timestamp": {offset, first(request{at: old,
			header: map[string]string{"Date": epoch.Format(http.TimeFormat)}}), served},
		"Date with an offset": {offset,
			first(request{header: map[string]string{"Date": epoch.Format(http.TimeFormat) + "+00:00"}}), served},
		"Date that is none": {offset, first(request{header: map[string]string{"Date": "today"}}),
			"400 Invalid Date"},
		"unknown key":          {offset, request{key: "nobody", secret: "1"}, "401 Invalid Key"},
		"key before signature": {offset, request{unsigned: true}, "401 Invalid Key"},
		"consumer before signature": {offset, request{key: "second", secret: "wrong"},
			"403 Unauthorized Consumer"},
		"signature before digest": {offset, request{key: "first", secret: "wrong", method: "POST",
			body: "{}", header: map[string]string{"Content-Md5": "x"}}, "400 Server"},
		"digest of another body": {offset, first(request{method: "POST", body: "{}",
			header: map[string]string{"Content-Md5": "x"}}), "400 Invalid Content-MD5"},
		"digest before signature with a form": {offset, request{key: "first", secret: "wrong", method: "POST",
			body: "a=1", header: map[string]string{"Content-Md5": "x",
				"Content-Type": "application/x-www-form-urlencoded"}}, "400 Invalid Content-MD5"},
		"AppCode is nothing to it": {offset, request{unsigned: true,
			header: map[string]string{"Authorization": "APPCODE code1"}}, "401 Invalid Key"},
		"no API before any check": {offset, request{path: "/nowhere", unsigned: true}, "404"},
		"a stage is nothing to it": {offset,
			first(request{header: map[string]string{"X-Ca-Stage": "NONE"}}), served},
		"a method that it does not know falls": {offset, first(request{method: "BREW"}), strings.Replace(served, "GET",
			"BREW", 1)},
	} {
		t.Run(name, func(t *testing.T) {
			got := show(tt.q.do(t, higress(tt.plugins)))
			if !strings.HasPrefix(got, tt.want) {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A signature may be used again: hmac-auth looks at no nonce.
func TestHmacAuthTakesANonceTwice(t *testing.T) {
	g := higress(gatewaytest.Plugins{})
	for range 2 {
		if got := show(request{key: "first", secret: "1", nonce: "n"}.do(t, g)); got != served {
			t.Errorf("got %s, want %s", got, served)
		}
	}
}

// A name behind a blank in X-Ca-Signature-Headers is the name of no header, so
// that its value is empty in the plug-in's own reading. As a client of the
// classic gateway, which trims, it gets in all the same.
func TestHmacAuthAndBlanksInTheList(t *testing.T) {
	const list = "x-ca-key, x-ca-nonce"
	for text, want := range map[string]int{
		"GET\n\n\n\n\n x-ca-nonce:\nx-ca-key:first\n/items":  200, // as it reads itself
		"GET\n\n\n\n\nx-ca-key:first\nx-ca-nonce:n\n/items":  200, // as the classic gateway
		"GET\n\n\n\n\n x-ca-nonce:n\nx-ca-key:first\n/items": 400,
	} {
		r := httptest.NewRequest("GET", "/items", nil)
		r.Header.Set("X-Ca-Key", "first")
		r.Header.Set("X-Ca-Nonce", "n")
		r.Header.Set("X-Ca-Signature-Headers", list)
		r.Header.Set("X-Ca-Signature", signer.HmacSHA256.Signature("1", text))
		w := httptest.NewRecorder()
		higress(gatewaytest.Plugins{}).ServeHTTP(w, r)
		if w.Code != want {
			t.Errorf("%q: got %d %s, want %d", text, w.Code, w.Header().Get("X-Ca-Error-Message"), want)
		}
	}
}

func jwt(issuer, secret string, more string) string {
	encode := base64.RawURLEncoding.EncodeToString
	text := encode([]byte(`{"alg":"HS256"}`)) + "." + encode([]byte(`{"iss":"`+issuer+`"`+more+`}`))
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(text))
	return "Bearer " + text + "." + encode(mac.Sum(nil))
}

func TestPlugInsThatAuthenticate(t *testing.T) {
	key, basic := gatewaytest.Plugins{Auth: gatewaytest.KeyAuth}, gatewaytest.Plugins{Auth: gatewaytest.BasicAuth}
	bearer := gatewaytest.Plugins{Auth: gatewaytest.JWTAuth}
	in := func(name, value string) http.Header { return http.Header{http.CanonicalHeaderKey(name): {value}} }
	login := func(text string) http.Header {
		return in("Authorization", "Basic "+base64.StdEncoding.EncodeToString([]byte(text)))
	}
	at := func(d time.Duration) string { return fmt.Sprint(epoch.Add(d).Unix()) }
	const ok = served
	for name, tt := range map[string]struct {
		plugins gatewaytest.Plugins
		query   string
		header  http.Header
		want    string
	}{
		"key":              {key, "", in("x-api-key", "code1"), ok},
		"key in the query": {key, "?x-api-key=code1", nil, ok},
		"key of another header": {gatewaytest.Plugins{Auth: gatewaytest.KeyAuth, KeyNames: []string{"token"}}, "",
			in("token", "Bearer code1"), ok},
		"no key": {key, "", nil,
			"401 Key realm=MSE Gateway Request denied by Key Auth check. No Key Authentication information found."},
		"two keys": {key, "?x-api-key=code1", in("x-api-key", "code1"),
			"401 Key realm=MSE Gateway Request denied by Key Auth check. Multi Key Authentication information found."},
		"unknown key": {key, "", in("x-api-key", "code3"),
			"403 Key realm=MSE Gateway Request denied by Key Auth check. Unauthorized consumer."},
		"key that may not": {key, "", in("x-api-key", "code2"),
			"403 Key realm=MSE Gateway Request denied by Key Auth check. Unauthorized consumer."},
		"login": {basic, "", login("first:1"), ok},
		"no login": {basic, "", nil,
			"401 Basic realm=MSE Gateway Request denied by Basic Auth check. No Basic Authentication information found."},
		"wrong password": {basic, "", login("first:2"),
			"401 Basic realm=MSE Gateway Request denied by Basic Auth check. Invalid username and/or password."},
		"login that may not": {basic, "", login("second:2"),
			"403 Basic realm=MSE Gateway Request denied by Basic Auth check. Unauthorized consumer."},
		"token":                  {bearer, "", in("Authorization", jwt("first", "1", `,"exp":`+at(time.Hour))), ok},
		"token without an end":   {bearer, "", in("Authorization", jwt("first", "1", "")), ok},
		"token within the grace": {bearer, "", in("Authorization", jwt("first", "1", `,"exp":`+at(-time.Minute))), ok},
		"expired token": {bearer, "", in("Authorization", jwt("first", "1", `,"exp":`+at(-2*time.Minute))),
			"401 JWT realm=MSE Gateway Request denied by JWT Auth check. JWT is expired."},
		"token of tomorrow": {bearer, "", in("Authorization", jwt("first", "1", `,"nbf":`+at(24*time.Hour))),
			"401 JWT realm=MSE Gateway Request denied by JWT Auth check. JWT is expired."},
		"token of a far time": {bearer, "", in("Authorization", jwt("first", "1", `,"exp":1e300`)), ok},
		"no token": {bearer, "", nil,
			"401 JWT realm=MSE Gateway Request denied by JWT Auth check. JWT is missing."},
		"token of another secret": {bearer, "", in("Authorization", jwt("first", "2", "")),
			"401 JWT realm=MSE Gateway Request denied by JWT Auth check. JWT verification fails"},
		"token that is none": {bearer, "", in("Authorization", "Bearer a.b"),
			"401 JWT realm=MSE Gateway Request denied by JWT Auth check. JWT verification fails"},
		"token that may not": {bearer, "", in("Authorization", jwt("second", "2", "")),
			"403 JWT realm=MSE Gateway Request denied by JWT Auth check. Unauthorized consumer."},
	} {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest("GET", "/items"+tt.query, nil)
			maps.Copy(r.Header, tt.header)
			w := httptest.NewRecorder()
			higress(tt.plugins).ServeHTTP(w, r)
			if got := line(w); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

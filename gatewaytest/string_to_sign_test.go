package gatewaytest

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/signer"
)

// The gateway and the signer build the string to sign independently. Where
// both have a reading they must agree on every request.
func FuzzStringToSign(f *testing.F) {
	for _, seed := range []string{
		"GET /a%2Fb?b=2&a=1&a=3&c=&d HTTP/1.1\r\nHost: h\r\nX-Ca-Signature-Headers: X-Ca-Key,x-b, Accept\r\nX-Ca-Key: 1\r\n\r\n",
		"POST /x//y/?q+r=%20%zz&&;= HTTP/1.1\r\nHost: h\r\nContent-Type: application/x-www-form-urlencoded; a=b\r\n" +
			"Content-Length: 14\r\nAccept:  */* \r\nDate: d\r\n\r\nf=1&q+r=2&g&%4",
		"put http://other/%ff?x HTTP/1.1\r\nHost: h\r\nContent-Md5: m\r\nX-A: 1\r\nX-A: 2\r\nX-Ca-Signature-Headers: x-a\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, wire []byte) {
		req, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(wire)))
		if err != nil {
			return
		}
		body, err := io.ReadAll(req.Body)
		if err != nil {
			return
		}
		s := newSignedRequest(req, body)
		for i := range 48 {
			reading := Reading{
				Path: PathReading(i % 3), Headers: HeaderReading(i / 3 % 2),
				HigressParameters: i/6%2 == 1, QueryFirst: i/12%2 == 1, BareFormNames: i/24 == 1,
			}
			rules := signer.Rules{
				DecodedPath: reading.Path != PathAsSent, KeepSlashes: reading.Path == PathKeepsSlashes,
				ListedHeaders: reading.Headers == HeadersListed, HigressParameters: reading.HigressParameters,
				QueryFirst: reading.QueryFirst, RawFormNames: reading.BareFormNames,
			}
			if reading.Headers == HeadersListed && !plain(req) {
				continue // here a name counts as often as it is listed
			}
			if got, want := s.stringToSign(reading), signer.StringToSign(req, body, rules); got != want {
				t.Errorf("%v: got %q, the signer has %q", reading, got, want)
			}
		}
		if !plain(req) {
			return
		}
		if got, want := s.stringToSign(HigressReadings()[0]), signer.StringToSign(req, body,
			signer.Rules{Higress: true}); got != want {
			t.Errorf("higress: got %q, the signer has %q", got, want)
		}
	})
}

// plain reports whether a request has nothing in which the plug-in is odder
// than a signer has to be: blanks or repeated names in the list, a method in
// small letters, a type that names a form behind something else.
func plain(r *http.Request) bool {
	list := strings.ToLower(strings.Join(r.Header["X-Ca-Signature-Headers"], ","))
	names := strings.Split(list, ",")
	slices.Sort(names)
	return !strings.ContainsAny(list, " \t") && len(slices.Compact(names)) == strings.Count(list, ",")+1 &&
		r.Method == strings.ToUpper(r.Method) &&
		isForm(r.Header, HeadersHigress) == isForm(r.Header, HeadersDocumented) && len(r.Header["Content-Type"]) < 2
}

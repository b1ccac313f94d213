package signer

import (
	"encoding/json"
	"net/http"
	"os"
	"strings"
	"testing"
)

// classicRules is how the vendor's plug-in for clients that move to the newer
// gateway reads the requests of the classic one.
var classicRules = Rules{DecodedPath: true, KeepSlashes: true, QueryFirst: true, RawFormNames: true,
	ListedHeaders: true}

// vendorVectors is testdata/classic-gateway-vectors.json: requests with the
// signatures of the vendor's own tests.
type vendorVectors struct {
	Key, Secret string
	Requests    []struct {
		Name, Method, Target, Body, Signature string
		Headers                               map[string]string
		Accepted                              bool
	}
	Paths []struct{ Wire, Signed string }
}

func loadVendorVectors(t testing.TB) (v vendorVectors) {
	t.Helper()
	data, err := os.ReadFile("testdata/classic-gateway-vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &v); err != nil {
		t.Fatal(err)
	}
	if len(v.Requests) != 14 || len(v.Paths) != 7 {
		t.Fatalf("got %d requests and %d paths, want 14 and 7", len(v.Requests), len(v.Paths))
	}
	return v
}

func TestVendorVectors(t *testing.T) {
	v := loadVendorVectors(t)
	for _, request := range v.Requests {
		t.Run(request.Name, func(t *testing.T) {
			r := &http.Request{Method: request.Method, RequestURI: request.Target, Header: http.Header{}}
			for name, value := range request.Headers {
				r.Header.Set(name, value)
			}
			r.Header.Set("X-Ca-Signature", request.Signature)
			text, ok := Verify(r, []byte(request.Body), Secret(v.Secret), classicRules)
			if ok != request.Accepted {
				t.Errorf("accepted: got %v, want %v; the string to sign is %q", ok, request.Accepted, text)
			}
		})
	}
}

func TestVendorPaths(t *testing.T) {
	for _, path := range loadVendorVectors(t).Paths {
		r := &http.Request{Method: "GET", RequestURI: path.Wire + "?a=1"}
		text := StringToSign(r, nil, classicRules)
		if _, got, _ := strings.Cut(text, "\n\n\n\n\n"); got != path.Signed+"?a=1" {
			t.Errorf("%s: got %q, want %q", path.Wire, got, path.Signed+"?a=1")
		}
		if text := StringToSign(r, nil, Rules{}); !strings.HasSuffix(text, "\n"+path.Wire+"?a=1") {
			t.Errorf("%s: got %q, want the path as sent", path.Wire, text)
		}
	}
}

// The facts of the plug-in that its vectors do not show, each beside what the
// documentation says.
func TestReadings(t *testing.T) {
	const form = "application/x-www-form-urlencoded"
	tests := []struct {
		name, target, body string
		header             http.Header
		rules              Rules
		want, documented   string // behind the method
	}{
		{"query before form", "/p?k=query", "k=form", nil, Rules{QueryFirst: true},
			"\n\n\n" + form + "\n\n/p?k=query", "\n\n\n" + form + "\n\n/p?k=form"},
		{"bare name of a form", "/p?a+b", "c+d&%65", nil, Rules{RawFormNames: true},
			"\n\n\n" + form + "\n\n/p?%65&a b&c+d", "\n\n\n" + form + "\n\n/p?a b&c d&e"},
		{"named empty value of a form", "/p", "c+d=", nil, Rules{RawFormNames: true},
			"\n\n\n" + form + "\n\n/p?c d", "\n\n\n" + form + "\n\n/p?c d"},
		{"Accept in the list", "/p", "",
			http.Header{"Accept": {"*/*"}, "X-Ca-Signature-Headers": {"Accept,X-Ca-Signature"}},
			Rules{ListedHeaders: true}, "\n*/*\n\n\n\nAccept:*/*\n/p", "\n*/*\n\n\n\n/p"},
		{"names in the case of the list", "/p", "",
			http.Header{"X-Ca-Key": {"k"}, "X-Ca-Signature-Headers": {"x-ca-KEY"}},
			classicRules, "\n\n\n\n\nx-ca-KEY:k\n/p", "\n\n\n\n\nx-ca-KEY:k\n/p"},
		{"content type before the boundary", "/p", "", http.Header{"Content-Type": {"multipart/form-data; boundary=b"},
			"X-Ca-Signed-Content-Type": {"multipart/form-data"}}, classicRules,
			"\n\n\nmultipart/form-data\n\n/p", "\n\n\nmultipart/form-data\n\n/p"},
		{"content type before the boundary, Higress", "/p", "",
			http.Header{"Content-Type": {"multipart/form-data; boundary=b"},
				"X-Ca-Signed-Content-Type": {"multipart/form-data"}}, Rules{Higress: true},
			"\n\n\nmultipart/form-data; boundary=b\n\n/p", "\n\n\nmultipart/form-data\n\n/p"},
		{"decoded path", "/a%2fb%5C%20+", "", nil, Rules{DecodedPath: true}, "\n\n\n\n\n/a/b\\ +",
			"\n\n\n\n\n/a%2fb%5C%20+"},
		{"decoded path, slashes kept", "/a%2fb%5C%20+", "", nil, Rules{DecodedPath: true, KeepSlashes: true},
			"\n\n\n\n\n/a%2fb%5C +", "\n\n\n\n\n/a%2fb%5C%20+"},
		{"slashes kept, broken escape", "/a%20%zz", "", nil, Rules{DecodedPath: true, KeepSlashes: true},
			"\n\n\n\n\n/a%20%zz", "\n\n\n\n\n/a%20%zz"},
		{"slashes kept, not UTF-8", "/a%20%ff", "", nil, Rules{DecodedPath: true, KeepSlashes: true},
			"\n\n\n\n\n/a%20%ff", "\n\n\n\n\n/a%20%ff"},
		{"parameters of Higress, form first", "/p?k=query&e=&a+b", "k=form", nil, Rules{HigressParameters: true},
			"\n\n\n" + form + "\n\n/p?a+b=&e=&k=form", "\n\n\n" + form + "\n\n/p?a b&e&k=form"},
		{"slashes kept of a path as sent", "/a%2fb%20", "", nil, Rules{KeepSlashes: true}, "\n\n\n\n\n/a%2fb%20",
			"\n\n\n\n\n/a%2fb%20"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := &http.Request{Method: "POST", RequestURI: tt.target, Header: tt.header}
			if tt.body != "" {
				r.Header = http.Header{"Content-Type": {form}}
			}
			if got, want := StringToSign(r, []byte(tt.body), tt.rules), "POST"+tt.want; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got, want := StringToSign(r, []byte(tt.body), Rules{}), "POST"+tt.documented; got != want {
				t.Errorf("documented: got %q, want %q", got, want)
			}
		})
	}
}

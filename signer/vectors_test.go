package signer

import (
	"net/http"
	"strings"
	"testing"

	recorded "github.com/apigw-go/apigw/internal/vectors"
)

// vector is one row of testdata/signature-vectors.json.
type vector struct{ recorded.Vector }

func vectors(t testing.TB) (all []vector) {
	t.Helper()
	for _, v := range recorded.Read(t, "testdata/signature-vectors.json") {
		all = append(all, vector{v})
	}
	return all
}

// request rebuilds the request with the letter case of its header names.
func (v vector) request(t testing.TB) *http.Request {
	t.Helper()
	req, err := http.NewRequest(v.Method, v.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range v.Headers {
		req.Header[name] = []string{value}
	}
	for name := range req.Header {
		if strings.EqualFold(name, "X-Ca-Signature") || strings.EqualFold(name, "X-Ca-Signature-Headers") {
			delete(req.Header, name)
		}
	}
	req.Header["X-Ca-Signature-Headers"] = []string{v.SignatureHeaders}
	return req
}

func (v vector) algorithm() Algorithm {
	for name, value := range v.Headers {
		if strings.EqualFold(name, "X-Ca-Signature-Method") {
			a, _ := ParseAlgorithm(value)
			return a
		}
	}
	return HmacSHA256
}

func TestDocumentedVectors(t *testing.T) {
	n := 0
	for _, v := range vectors(t) {
		if v.DocRule != "yes" {
			continue
		}
		n++
		t.Run(v.Name, func(t *testing.T) {
			got := StringToSign(v.request(t), v.Body, Rules{})
			if got != v.StringToSign {
				t.Fatalf("string to sign\n got %q\nwant %q", got, v.StringToSign)
			}
			if got := v.algorithm().Signature(Secret(v.AppSecret), got); got != v.Signature {
				t.Errorf("signature: got %s, want %s", got, v.Signature)
			}
			req := v.request(t)
			req.Header["x-ca-signature"] = []string{v.Signature}
			if _, ok := Verify(req, v.Body, Secret(v.AppSecret), Rules{}); !ok {
				t.Errorf("Verify: got false, want true")
			}
			req.Header["x-ca-signature"] = []string{v.Signature[1:]}
			if _, ok := Verify(req, v.Body, Secret(v.AppSecret), Rules{}); ok {
				t.Errorf("Verify of a wrong signature: got true, want false")
			}
		})
	}
	if want := 444; n != want {
		t.Errorf("got %d documented vectors, want %d", n, want)
	}
}

// What the Higress verifier computed is known for its own rows, for those that
// it accepts, where it is the client's string, and for those that it rejects.
func TestHigressVectors(t *testing.T) {
	n := 0
	for _, v := range vectors(t) {
		want := v.StringToSign
		switch {
		case v.Kind == "server", v.Higress == "accepts":
		case v.Higress == "rejects":
			want = v.HigressString
		default:
			continue
		}
		n++
		t.Run(v.Name, func(t *testing.T) {
			if got := StringToSign(v.request(t), v.Body, Rules{Higress: true}); got != want {
				t.Errorf("string to sign\n got %q\nwant %q", got, want)
			}
		})
	}
	if want := 247; n != want {
		t.Errorf("got %d vectors with a Higress string, want %d", n, want)
	}
}

// The other rows show known deviations, none of which a signer may reproduce.
// Each names its reason and the fragment of our string in whose place the
// deviating signer has another.
func TestDeviatingVectors(t *testing.T) {
	const (
		utf16      = "sorts names by UTF-16 units, not by bytes"
		joined     = "joins repeated values by commas instead of taking the first"
		excluded   = "signs Accept and Content-Type a second time, as headers"
		untrimmed  = "signs a value with blanks that HTTP trims on the wire"
		stale      = "signs the signature headers of the attempt before"
		blank      = "takes a blank value for an empty one"
		cut        = "cuts a value at its second = or at ?"
		noAccept   = "drops Content-MD5, Content-Type and Date where Accept is missing"
		inventsAny = "signs an Accept of */* that it does not send"
		twice      = "writes the form's value twice, in the place of the query's"
		slash      = "drops a trailing slash of the path"
		dropsForm  = "leaves the form out"
		keepsEqual = "Higress: writes = after the name of an empty value"
		queryWins  = "Higress: the query wins over the form"
	)
	const staleX = "Signature:stale+signature=\nX-Ca-Signature-Headers:X-Ca-Key\nX-Ca-"
	deviations := map[string]struct{ reason, ours, theirs string }{
		"get-query-nonbmp-keys/node":     {utf16, "&｡k=1&𐀀k=2", "&𐀀k=2&｡k=1"},
		"get-query-nonbmp-keys/javademo": {utf16, "&｡k=1&𐀀k=2", "&𐀀k=2&｡k=1"},
		"get-query-nonbmp-keys/sdkcore":  {utf16, "&｡k=1&𐀀k=2", "&𐀀k=2&｡k=1"},
		"get-repeated/node":              {joined, "?a=1", "?a=1,2"},
		"get-repeated-empty-first/node":  {joined, "?a", "?a=,2"},
		"post-form-repeated/node":        {joined, "?a=1", "?a=1,2"},
		"custom-excluded/node": {excluded, "\n\nx-ca-key",
			"\n\naccept:application/json\ncontent-type:application/json\nx-ca-key"},
		"custom-spaces/node":     {untrimmed, "two words", "  two words  "},
		"custom-spaces/javademo": {untrimmed, "two words", "  two words  "},
		"custom-spaces/php":      {untrimmed, "two words", "  two words  "},
		"custom-spaces/go51":     {untrimmed, "two words", "  two words  "},
		"resign-stale/node": {stale, "x-ca-stage",
			"x-ca-signature:stale+signature=\nx-ca-signature-headers:x-ca-key,x-ca-nonce,x-ca-signature,x-ca-signature-headers,x-ca-stage,x-ca-timestamp\nx-ca-stage"},
		"resign-stale/javademo":    {stale, "Timestamp", staleX + "Timestamp"},
		"resign-stale/php":         {stale, "Timestamp", staleX + "Timestamp"},
		"resign-stale/go51":        {stale, "Timestamp", staleX + "Timestamp"},
		"resign-stale/k8scat":      {stale, "Timestamp", staleX + "Timestamp"},
		"get-blank-value/javademo": {blank, "?a= ", "?a"},
		"get-reserved/python": {cut, "pct=100%&u=http://x.example/?a=b&c=d#e",
			"u=http://x.example/"},
		"get-equals-in-value/python": {cut, "b=x=y&tok=YWJj==", "b=x&tok=YWJj"},
		"post-json-no-accept/php": {noAccept,
			"u2y1xo30ZSlByvZSo2by2A==\napplication/json; charset=UTF-8", "\n"},
		"get-no-accept/go51":                      {inventsAny, "GET\n", "GET\n*/*"},
		"post-json-no-accept/go51":                {inventsAny, "POST\n", "POST\n*/*"},
		"post-form-same-key/go51":                 {twice, "k=fromform", "k=fromform&k=fromform"},
		"path-trailing-slash/go51":                {slash, "items/", "items"},
		"post-form/k8scat":                        {dropsForm, "?password=123456789&username=xiaoming", ""},
		"post-form-bare-ctype/k8scat":             {dropsForm, "?a=1&b=2", ""},
		"post-form-same-key/k8scat":               {dropsForm, "fromform", "fromquery"},
		"post-form-empty/k8scat":                  {dropsForm, "?a&b=x", ""},
		"post-form-repeated/k8scat":               {dropsForm, "?a=1", ""},
		"doc-example/k8scat":                      {dropsForm, "&password=123456789&username=xiaoming", ""},
		"get-empty-value/higress-server":          {keepsEqual, "?a", "?a="},
		"get-key-only/higress-server":             {keepsEqual, "flag", "flag="},
		"get-all-empty/higress-server":            {keepsEqual, "?y&z", "?y=&z="},
		"get-repeated-empty-first/higress-server": {keepsEqual, "?a", "?a="},
		"post-form-empty/higress-server":          {keepsEqual, "?a", "?a="},
		"post-form-same-key/higress-server":       {queryWins, "fromform", "fromquery"},
	}
	decoded, backend := 0, 0
	for _, v := range vectors(t) {
		switch v.DocRule {
		case "no":
			t.Run(v.Name, func(t *testing.T) {
				d, ok := deviations[v.Name]
				if !ok {
					t.Fatal("the table has no reason for this vector")
				}
				delete(deviations, v.Name)
				ours := StringToSign(v.request(t), v.Body, Rules{})
				if got := strings.Replace(ours, d.ours, d.theirs, 1); ours == v.StringToSign || got != v.StringToSign {
					t.Errorf("it %s\n got %q\nwant %q", d.reason, got, v.StringToSign)
				}
			})
		case "decoded-path": // it signs the percent-decoded path
			decoded++
			t.Run(v.Name, func(t *testing.T) {
				if got := StringToSign(v.request(t), v.Body, Rules{}); got == v.StringToSign {
					t.Errorf("got the decoded path in %q, want the one on the wire", got)
				}
				if got := StringToSign(v.request(t), v.Body, Rules{DecodedPath: true}); got != v.StringToSign {
					t.Errorf("string to sign\n got %q\nwant %q", got, v.StringToSign)
				}
			})
		case "n/a": // the other direction: gateway to backend, X-Ca-Proxy-Signature
			backend++
			t.Run(v.Name, func(t *testing.T) {
				ours := StringToSign(v.request(t), v.Body, Rules{})
				// It has no lines for Accept, Content-Type and Date: the headers
				// begin in the third line.
				if lines := strings.Split(v.StringToSign, "\n"); ours == v.StringToSign ||
					!strings.Contains(lines[2], ":") {
					t.Errorf("got %q and %q, want three lines fewer in the second", ours, v.StringToSign)
				}
			})
		}
	}
	for name := range deviations {
		t.Errorf("there is no vector %s", name)
	}
	if decoded != 24 || backend != 7 {
		t.Errorf("got %d decoded-path and %d backend vectors, want 24 and 7", decoded, backend)
	}
}

// Every signature in the file is the HMAC of its string, deviating or not.
func TestVectorSignatures(t *testing.T) {
	for _, v := range vectors(t) {
		if got := v.algorithm().Signature(Secret(v.AppSecret), v.StringToSign); got != v.Signature {
			t.Errorf("%s: got %s, want %s", v.Name, got, v.Signature)
		}
	}
}

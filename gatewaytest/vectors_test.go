package gatewaytest_test

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/internal/vectors"
	"github.com/apigw-go/apigw/signer"
)

// vector is a request that a public signer made.
type vector struct{ vectors.Vector }

// clientVectors returns the requests that clients of other projects signed.
func clientVectors(t *testing.T) (clients []vector) {
	t.Helper()
	for _, v := range vectors.Read(t, "../signer/testdata/signature-vectors.json") {
		if v.Kind == "client" {
			clients = append(clients, vector{v})
		}
	}
	if len(clients) != 443 {
		t.Fatalf("got %d vectors of clients, want 443", len(clients))
	}
	return clients
}

// send replays the vector as it was on the wire: net/http parses the bytes as
// its server would.
func (v *vector) send(t *testing.T, g *gatewaytest.Gateway) *http.Response {
	t.Helper()
	var wire bytes.Buffer
	_, target, _ := strings.Cut(strings.TrimPrefix(v.URL, "https://"), "/")
	fmt.Fprintf(&wire, "%s /%s HTTP/1.1\r\nHost: gw.example.com\r\n", v.Method, target)
	for name, value := range v.Headers {
		// A vector of a second signing still has those of the first.
		if n := strings.ToLower(name); n != "x-ca-signature" && n != "x-ca-signature-headers" {
			fmt.Fprintf(&wire, "%s: %s\r\n", name, value)
		}
	}
	fmt.Fprintf(&wire, "X-Ca-Signature: %s\r\nX-Ca-Signature-Headers: %s\r\nContent-Length: %d\r\n\r\n", v.Signature,
		v.SignatureHeaders, len(v.Body))
	wire.Write(v.Body)
	req, err := http.ReadRequest(bufio.NewReader(&wire))
	if err != nil {
		t.Fatal(err)
	}
	millis, err := strconv.ParseInt(req.Header.Get("X-Ca-Timestamp"), 10, 64)
	if err != nil {
		t.Fatal(err)
	}
	g.Apps = []gatewaytest.App{{AppKey: v.AppKey, AppSecret: signer.Secret(v.AppSecret)}}
	g.Stages = []string{"RELEASE", "TEST", "PRE"}
	g.Now = func() time.Time { return time.UnixMilli(millis) }
	answer := httptest.NewRecorder()
	g.ServeHTTP(answer, req)
	return answer.Result()
}

// refusedOtherwise lists the vectors whose string to sign follows the
// documented rule but which the documentation refuses for another reason.
var refusedOtherwise = map[string]string{
	// The Java demo sends the digest of an empty body, which is an error.
	"post-empty-body/javademo": "Invalid Content-MD5",
}

func TestDocumentedModeVerifiesForeignSigners(t *testing.T) {
	for _, dialect := range []catalog.Generation{catalog.GenerationClassic, catalog.GenerationVPC} {
		for _, v := range clientVectors(t) {
			t.Run(dialect.String()+"/"+v.Name, func(t *testing.T) {
				resp := v.send(t, &gatewaytest.Gateway{Dialect: dialect})
				message := resp.Header.Get("X-Ca-Error-Message")
				want := refusedOtherwise[v.Name]
				if v.DocRule != "yes" {
					want = "Invalid Signature, Server StringToSign:`" + v.Method + "#"
				}
				if !strings.HasPrefix(message, want) || (resp.StatusCode == 200) != (want == "") {
					t.Errorf("got %d %q, want %q", resp.StatusCode, message, want)
				}
			})
		}
	}
}

// The vectors were run against a plug-in that had its own reading only.
func TestHigressReadingVerifiesForeignSigners(t *testing.T) {
	for _, v := range clientVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			resp := v.send(t, &gatewaytest.Gateway{Dialect: catalog.GenerationHigress,
				Readings: gatewaytest.HigressReadings()[:1]})
			want := 400 // "rejects" and "header-case-only"
			if v.Higress == "accepts" {
				want = 200
			}
			if resp.StatusCode != want {
				t.Errorf("got %d %q, want %d", resp.StatusCode, resp.Header.Get("X-Ca-Error-Message"), want)
			}
		})
	}
}

// Today's plug-in lets clients of the classic gateway in: mixed case, the
// decoded path, an empty value as a bare name.
func TestHigressPlugInLetsClassicClientsIn(t *testing.T) {
	for _, v := range clientVectors(t) {
		t.Run(v.Name, func(t *testing.T) {
			resp := v.send(t, &gatewaytest.Gateway{Dialect: catalog.GenerationHigress})
			want := 200
			if refusedByPlugIn(v) != "" {
				want = 400
			}
			if resp.StatusCode != want {
				t.Errorf("got %d %q, want %d (%s)", resp.StatusCode, resp.Header.Get("X-Ca-Error-Message"), want,
					refusedByPlugIn(v))
			}
		})
	}
}

// The documentation prints the string to sign of its example, which a refusal
// echoes with "#" for line breaks.
func TestRefusedSignatureEchoesTheStringToSign(t *testing.T) {
	for _, v := range clientVectors(t) {
		if v.Name != "doc-example/node" {
			continue
		}
		v.Signature = base64.StdEncoding.EncodeToString([]byte("not the signature"))
		resp := v.send(t, &gatewaytest.Gateway{})
		got := resp.Header.Get("X-Ca-Error-Message")
		want := "Invalid Signature, Server StringToSign:`" + strings.ReplaceAll(v.StringToSign, "\n", "#") + "`"
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		return
	}
	t.Error("no vector of the documentation's example")
}

// refusedByPlugIn says why a vector is refused, from what is known of it apart
// from this package; empty where it is not.
func refusedByPlugIn(v vector) string {
	test, _, _ := strings.Cut(v.Name, "/")
	switch {
	case refusedOtherwise[v.Name] != "":
		return refusedOtherwise[v.Name]
	case v.Higress == "accepts":
		return ""
	case v.Name == "custom-excluded/node", v.Name == "post-form-same-key/k8scat":
		return "" // a listed Accept has a line; this client signs the query alone
	case test == "post-form-same-key":
		return "the form wins over the query"
	case v.DocRule == "decoded-path" && strings.Contains(v.URL, "%2F"):
		return "an encoded slash stays encoded"
	case v.DocRule == "no":
		return "a mistake of the client"
	}
	return ""
}

// Package vectors reads signer/testdata/signature-vectors.json for the tests of
// the signer and of the gateway.
package vectors

import (
	"encoding/json"
	"os"
	"testing"
)

// Vector is a request as a public signer sent it, or as a Higress gateway read
// it, with the string and the signature that it printed. The notes beside the
// file describe the fields.
type Vector struct {
	Name             string            `json:"name"`
	Kind             string            `json:"kind"`
	AppKey           string            `json:"app_key"`
	AppSecret        string            `json:"app_secret"`
	Method           string            `json:"method"`
	URL              string            `json:"url"`
	Headers          map[string]string `json:"headers"`
	Body             []byte            `json:"body"`
	StringToSign     string            `json:"string_to_sign"`
	Signature        string            `json:"signature"`
	SignatureHeaders string            `json:"x_ca_signature_headers"`
	DocRule          string            `json:"doc_rule"`
	Higress          string            `json:"higress"`
	HigressString    string            `json:"higress_string_to_sign"`
}

// Read returns all vectors of a file.
func Read(t testing.TB, file string) []Vector {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []Vector
	if err := json.Unmarshal(data, &all); err != nil {
		t.Fatal(err)
	}
	return all
}

package policies_test

import (
	"encoding/json"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/policies"
)

// property is a field in a JSON Schema.
type property struct{ Properties map[string]property }

// names returns the names of the fields that hold a value, those of an object
// behind its own: "throttling.maxWait".
func (p property) names(prefix string) (names []string) {
	for name, inner := range p.Properties {
		if inner.Properties == nil {
			names = append(names, prefix+name)
		}
		names = append(names, inner.names(prefix+name+".")...)
	}
	return names
}

func policyFields(t *testing.T) []string {
	t.Helper()
	var schema struct {
		Defs struct{ Policy property } `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(policies.Schema()), &schema); err != nil {
		t.Fatal(err)
	}
	return schema.Defs.Policy.names("")
}

func TestSchemaKnowsEveryField(t *testing.T) {
	names := policyFields(t)
	if got, want := len(names), reflect.TypeFor[apigw.RetryPolicy]().NumField()-1; got != want {
		t.Errorf("got %d fields, %q, want %d: all of RetryPolicy but NewBackOff", got, names, want)
	}
}

// A field of the schema is in the page and in what the command prints, too.
func TestEveryFieldIsDocumented(t *testing.T) {
	for file, mark := range map[string]string{
		"../docs/policies.md":                         "`",
		"../cmd/apigw/testdata/policy-default.golden": " ",
		"../cmd/apigw/help/en/policy.txt":             "",
		"../cmd/apigw/help/zh/policy.txt":             "",
	} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range policyFields(t) {
			if !strings.Contains(string(text), mark+name+mark) {
				t.Errorf("%s does not name %s", file, name)
			}
		}
	}
}

package integration

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/apigw-go/apigw/policies"
	"github.com/santhosh-tekuri/jsonschema/v6"
)

func compilePolicySchema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	document, err := jsonschema.UnmarshalJSON(strings.NewReader(policies.Schema()))
	if err != nil {
		t.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	if err := c.AddResource("policy.schema.json", document); err != nil {
		t.Fatal(err)
	}
	schema, err := c.Compile("policy.schema.json") // checks it against its meta-schema
	if err != nil {
		t.Fatal(err)
	}
	return schema
}

// TestPolicySchemaAgreesWithParser gives the same files to both. Those in
// bad-beyond-schema have faults that no schema can express; that it accepts
// them keeps the folder honest.
func TestPolicySchemaAgreesWithParser(t *testing.T) {
	schema := compilePolicySchema(t)
	for _, tt := range []struct {
		folder         string
		schema, parser bool // accept it
	}{
		{"good", true, true},
		{"bad", false, false},
		{"bad-beyond-schema", true, false},
	} {
		files, err := filepath.Glob(filepath.Join("..", "policies", "testdata", tt.folder, "*.json"))
		if err != nil || len(files) == 0 {
			t.Fatalf("got %d files in %s, %v", len(files), tt.folder, err)
		}
		for _, file := range files {
			t.Run(tt.folder+"/"+filepath.Base(file), func(t *testing.T) {
				data, err := os.ReadFile(file)
				if err != nil {
					t.Fatal(err)
				}
				document, err := jsonschema.UnmarshalJSON(strings.NewReader(string(data)))
				if err == nil {
					err = schema.Validate(document)
				}
				if got := err == nil; got != tt.schema {
					t.Errorf("schema: got accepted %t (%v), want %t", got, err, tt.schema)
				}
				_, err = policies.Parse(file, data)
				if got := err == nil; got != tt.parser {
					t.Errorf("parser: got accepted %t (%v), want %t", got, err, tt.parser)
				}
			})
		}
	}
}

// TestPolicySchemaSeesEachFaultAlone splits the files with many faults, so that one fault
// cannot hide that the schema overlooks another.
func TestPolicySchemaSeesEachFaultAlone(t *testing.T) {
	schema := compilePolicySchema(t)
	for _, policy := range []string{
		`{"maxAttempts": 0}`, `{"maxAttempts": 101}`, `{"maxAttempts": 2.5}`, `{"maxAttempts": "3"}`,
		`{"maxAttempts": null}`,
		`{"initialBackoff": "250"}`, `{"initialBackoff": 0.25}`, `{"initialBackoff": ""}`, `{"initialBackoff": "1"}`,
		`{"maxBackoff": "0s"}`, `{"maxBackoff": "1m0.5"}`, `{"maxBackoff": "1d"}`, `{"maxBackoff": "0h0m"}`,
		`{"maxBackoff": "0.000s"}`, `{"maxBackoff": "1.s"}`, `{"maxBackoff": ".5s"}`, `{"maxBackoff": "1e3s"}`,
		`{"maxElapsed": "-1s"}`, `{"maxElapsed": "1000000000s"}`, `{"maxElapsed": "1.0000000001s"}`,
		`{"maxElapsed": "1 s"}`, `{"maxElapsed": "1s\n"}`,
		`{"attemptTimeout": true}`, `{"maxRetryAfter": []}`, `{"throttling": {"maxWait": "0s"}}`,
		`{"throttling": {"wait": "1s"}}`, `{"throttling": "5s"}`,
		`{"backoffMultiplier": 0.5}`, `{"backoffMultiplier": 101}`, `{"backoffMultiplier": "2"}`, `{"jitter": "Full"}`,
		`{"jitter": 0}`,
		`{"retryableStatusCodes": [200]}`, `{"retryableStatusCodes": [600]}`, `{"retryableStatusCodes": [503.5]}`,
		`{"retryableStatusCodes": [503, 503.0]}`, `{"retryableStatusCodes": ["503"]}`, `{"retryableStatusCodes": 503}`,
		`{"retryableStatusCodes": null}`,
		`{"retryNonIdempotent": 1}`, `{"maxBodyBuffer": -1}`, `{"maxBodyBuffer": 1073741825}`, `{"maxBodyBuffer": 0.5}`,
		`{"unknown": 1}`, `{"MaxAttempts": 1}`, `[]`, `null`, `"none"`,
	} {
		t.Run(policy, func(t *testing.T) {
			for _, file := range []string{`{"default": ` + policy + `}`, `{"services": {"/": ` + policy + `}}`} {
				document, err := jsonschema.UnmarshalJSON(strings.NewReader(file))
				if err != nil {
					t.Fatal(err)
				}
				if schema.Validate(document) == nil {
					t.Errorf("schema: accepted %s", file)
				}
				if _, err := policies.Parse("p", []byte(file)); err == nil {
					t.Errorf("parser: accepted %s", file)
				}
			}
		})
	}
}

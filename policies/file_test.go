package policies_test

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/strictjson"
	"github.com/apigw-go/apigw/policies"
)

var update = flag.Bool("update", false, "write the golden file anew")

// policyFiles returns the files of a folder of testdata. The module
// integration gives the same ones to the JSON Schema.
func policyFiles(t testing.TB, folder string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", folder, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("got %d files in %s, %v", len(files), folder, err)
	}
	return files
}

func TestGoodPolicyFiles(t *testing.T) {
	for _, file := range policyFiles(t, "good") {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if err := new(policies.Set).Load(file); err != nil {
				t.Errorf("got %v, want no error", err)
			}
		})
	}
}

// TestBadPolicyFiles compares every error with testdata/errors.golden.
func TestBadPolicyFiles(t *testing.T) {
	var got strings.Builder
	for _, file := range append(policyFiles(t, "bad"), policyFiles(t, "bad-beyond-schema")...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if _, err = policies.Parse(name, data); err == nil {
			t.Errorf("%s: got no error", name)
		}
		fmt.Fprintf(&got, "%v\n\n", err)
	}
	const golden = "testdata/errors.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got.String() != string(want) {
		t.Errorf("the errors differ from the golden file, got:\n%s", got.String())
	}
}

func TestEveryPolicyField(t *testing.T) {
	p, err := policies.Load("testdata/good/every-field.json")
	if err != nil {
		t.Fatal(err)
	}
	want := &apigw.RetryPolicy{
		MaxAttempts: 6, InitialBackoff: 100 * time.Millisecond, MaxBackoff: 5 * time.Second, BackoffMultiplier: 1.5,
		Jitter: apigw.JitterEqual, AttemptTimeout: 2500 * time.Millisecond,
		MaxElapsed: 30 * time.Second, MaxRetryAfter: 15 * time.Second, MaxThrottleWait: time.Minute,
		Limit: apigw.RateLimit{Calls: 100, Per: time.Second}, LimitScope: "orders", QuotaHold: 5 * time.Minute,
		RetryableStatusCodes: []int{502, 503}, RetryNonIdempotent: true, MaxBodyBuffer: 1 << 20,
		TrustProxyText: true,
		SuccessMarks: []apigw.SuccessMark{
			{Header: "X-Fc-Error-Type", HeaderValue: "UnhandledInvocationError"}, {JSONField: "code", JSONValue: "-1"},
		},
	}
	if !reflect.DeepEqual(p.Default, want) {
		t.Errorf("got %+v, want %+v", p.Default, want)
	}
	v := reflect.ValueOf(*p.Default)
	for i := range v.NumField() {
		if name := v.Type().Field(i).Name; v.Field(i).IsZero() && name != "NewBackOff" {
			t.Errorf("%s cannot be said in a policy file", name)
		}
	}
}

func TestSuccessMarks(t *testing.T) {
	f, err := policies.Load("testdata/good/success-marks.json")
	if err != nil {
		t.Fatal(err)
	}
	want := []apigw.SuccessMark{{Header: "X-Fc-Error-Type"}, {JSONField: "code", JSONValue: `"<failed>"`}}
	if got := f.Services["/a"].SuccessMarks; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	want = []apigw.SuccessMark{{JSONField: "ok", JSONValue: "false"}, {JSONField: "data", JSONValue: "null"}}
	if got := f.Services["/b"].SuccessMarks; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestNoneInAPolicyFile(t *testing.T) {
	p, err := policies.Parse("p", []byte(`{"default": {"maxBodyBuffer": 0, "retryableStatusCodes": []}}`))
	if err != nil {
		t.Fatal(err)
	}
	if got := p.Default.MaxBodyBuffer; got >= 0 {
		t.Errorf("got a buffer of %d bytes, want none, a negative number", got)
	}
	if got := p.Default.RetryableStatusCodes; got == nil || len(got) > 0 {
		t.Errorf("got the status codes %#v, want none, which is not nil", got)
	}
}

func TestSetLoad(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policies.json")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	set := new(policies.Set)
	if err := set.Load(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that the file does not exist", err)
	}
	attempts := func() int {
		policy, _, _ := set.Match(outgoing(t, "http://h/a"))
		return policy.MaxAttempts
	}
	for _, tt := range []struct {
		text string
		want int
	}{
		{`{"services": {"/a": {"maxAttempts": 2}}}`, 2},
		{`{"services": {"/a": {"maxAttempts": 3}}}`, 3},
		{`{"services": {"/a": {"maxAttempts": 0}}}`, 3}, // refused
		{`{"default": {"maxAttempts": 5}}`, 5},
	} {
		write(tt.text)
		err := set.Load(file)
		if got := attempts(); got != tt.want {
			t.Errorf("%s: got %d attempts (%v), want %d", tt.text, got, err, tt.want)
		}
	}
}

func TestPolicySchemaKnowsEveryField(t *testing.T) {
	var schema struct {
		Defs struct {
			Policy struct{ Properties map[string]any } `json:"policy"`
		} `json:"$defs"`
	}
	if err := json.Unmarshal([]byte(policies.Schema()), &schema); err != nil {
		t.Fatal(err)
	}
	if got, want := len(schema.Defs.Policy.Properties), reflect.TypeFor[apigw.RetryPolicy]().NumField()-3; got != want {
		t.Errorf("got %d fields, want %d: all of RetryPolicy but NewBackOff and two of throttling", got, want)
	}
}

func FuzzParse(f *testing.F) {
	for _, folder := range []string{"good", "bad", "bad-beyond-schema"} {
		for _, file := range policyFiles(f, folder) {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	place := regexp.MustCompile(`^p:[1-9][0-9]*:[1-9][0-9]*: .`)
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := policies.Parse("p", data)
		if err == nil {
			if !json.Valid(data) {
				t.Error("got policies from what is no JSON")
			}
			if err := new(policies.Set).Replace(*p); err != nil {
				t.Errorf("got policies that Replace refuses: %v", err)
			}
			return
		}
		lines := strings.Split(err.Error(), "\n")
		if p != nil || len(lines) > strictjson.MaxFaults+1 || !place.MatchString(lines[0]) {
			t.Errorf("got %v and %d faults: %s", p, len(lines), lines[0])
		}
	})
}

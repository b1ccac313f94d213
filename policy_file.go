package apigw

import (
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/internal/near"
	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/internal/strictjson"
)

// LoadPolicies reads the policies in a file, see [ParsePolicies].
func LoadPolicies(file string) (*Policies, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("apigw: policy file: %w", err)
	}
	return ParsePolicies(file, data)
}

// ParsePolicies reads policies from JSON in the words of the gRPC service
// config: one for all, and one per pattern of [Services].
//
//	{
//	  "default": {"maxAttempts": 4, "initialBackoff": "0.25s", "maxBackoff": "10s"},
//	  "services": {
//	    "GET api.example.com/orders/{id}": {"maxAttempts": 6, "throttling": {"maxWait": "5s"}},
//	    "POST api.example.com/orders": {"maxAttempts": 1}
//	  }
//	}
//
// The fields of a policy are maxAttempts, initialBackoff, maxBackoff,
// backoffMultiplier, jitter ("full", "equal" or "none"), attemptTimeout,
// maxElapsed, maxRetryAfter, retryableStatusCodes, retryNonIdempotent,
// maxBodyBuffer and throttling with maxWait. They mean what the fields of
// [RetryPolicy] mean, and each may be left out for its default; "default" is
// not handed down to the services. A duration is a string in seconds, as in
// gRPC, and more than 0: "0.1s". maxBodyBuffer counts bytes, 0 for none.
//
// It is strict: an unknown or repeated field, a value of the wrong type or
// without sense, patterns that conflict and anything behind the last brace are
// refused, all at once, each as "name:line:column: fault: mend". Name is only
// for these. [PolicySchema] describes the file to editors.
func ParsePolicies(name string, data []byte) (*Policies, error) {
	f := &policyFile{File: strictjson.File{Name: name, Data: data, Empty: "{} for no policies"}, table: newServiceTable()}
	if root, ok := f.Parse(); ok {
		f.root(root)
	}
	if err := f.Err(); err != nil {
		return nil, err
	}
	return &f.policies, nil
}

//go:embed policy.schema.json
var policySchema string

// PolicySchema returns the JSON Schema (draft 2020-12) of policy files. It
// does not see all that [ParsePolicies] refuses: repeated fields, conflicts
// between patterns, and a first pause that is longer than the longest.
func PolicySchema() string { return policySchema }

// maxFileAttempts is more than any sensible policy has.
const maxFileAttempts = 100

// policyFile is a policy file being read.
type policyFile struct {
	strictjson.File
	policies Policies
	table    *serviceTable // finds conflicts
}

// reader reads the value of a field into a place that it knows.
type reader func(strictjson.Field)

// object reads the fields of an object by their readers.
func (f *policyFile) object(readers map[string]reader) reader {
	return func(object strictjson.Field) {
		for _, field := range f.fields(object.Name, object.Value) {
			if read, ok := readers[field.Name]; ok {
				read(field)
			} else {
				f.unknown(field, slices.Sorted(maps.Keys(readers)))
			}
		}
	}
}

// fields returns the fields of an object but those whose name was there
// before, which are faults, and so is anything that is not an object.
func (f *policyFile) fields(name string, v strictjson.Value) []strictjson.Field {
	all, ok := v.Data.([]strictjson.Field)
	if !ok {
		f.Fail(v.At, "%s is %s: write an object, in braces", name, v.Kind())
		return nil
	}
	return slices.DeleteFunc(slices.Clone(all), func(field strictjson.Field) bool {
		if field.First < 0 {
			return false
		}
		line := f.Line(field.First)
		f.Fail(field.At, "%s is there twice, first in line %d: take one out", quote(field.Name), line)
		return true
	})
}

// unknown is the fault of a field that does not exist.
func (f *policyFile) unknown(field strictjson.Field, known []string) {
	if word := near.Word(field.Name, known); word != "" {
		f.Fail(field.At, "unknown field %s: did you mean %q?", quote(field.Name), word)
		return
	}
	f.Fail(field.At, "unknown field %s: take it out, known are %s", quote(field.Name), strings.Join(known, ", "))
}

// quote writes a word of the file on one line.
func quote(s string) string { return strconv.Quote(redact.Line(s, 120)) }

func (f *policyFile) root(v strictjson.Value) {
	var schema string
	f.object(map[string]reader{
		"$schema": f.text(&schema, "the address of the schema, a string"),
		"default": func(field strictjson.Field) {
			f.policies.Default = new(RetryPolicy)
			f.policy(field, f.policies.Default)
		},
		"services": f.services,
	})(strictjson.Field{At: v.At, Name: "the file", Value: v})
}

func (f *policyFile) services(object strictjson.Field) {
	f.policies.Services = map[string]RetryPolicy{}
	at := map[string]int{}
	for _, field := range f.fields(object.Name, object.Value) {
		at[field.Name] = field.At
		var policy RetryPolicy
		f.policy(strictjson.Field{At: field.At, Name: "the policy of " + quote(field.Name), Value: field.Value}, &policy)
		f.policies.Services[field.Name] = policy
		err := f.table.add(field.Name, policy)
		var conflict *conflictError
		if errors.As(err, &conflict) {
			line := f.Line(at[conflict.with])
			f.Fail(field.At, "pattern %s and %s in line %d conflict: %s", quote(field.Name), quote(conflict.with), line, conflict.why)
		} else if err != nil {
			f.Fail(field.At, "pattern %s: %v", quote(field.Name), err)
		}
	}
}

func (f *policyFile) policy(object strictjson.Field, p *RetryPolicy) {
	faults := f.Faults()
	f.object(map[string]reader{
		"maxAttempts":          integer(f, &p.MaxAttempts, 1, maxFileAttempts, " (1 for no retry)"),
		"initialBackoff":       f.duration(&p.InitialBackoff),
		"maxBackoff":           f.duration(&p.MaxBackoff),
		"backoffMultiplier":    f.number(&p.BackoffMultiplier, 1, 100),
		"jitter":               f.jitter(&p.Jitter),
		"attemptTimeout":       f.duration(&p.AttemptTimeout),
		"maxElapsed":           f.duration(&p.MaxElapsed),
		"maxRetryAfter":        f.duration(&p.MaxRetryAfter),
		"throttling":           f.object(map[string]reader{"maxWait": f.duration(&p.MaxThrottleWait)}),
		"retryableStatusCodes": f.statusCodes(&p.RetryableStatusCodes),
		"retryNonIdempotent":   f.boolean(&p.RetryNonIdempotent),
		"maxBodyBuffer": func(field strictjson.Field) {
			integer(f, &p.MaxBodyBuffer, 0, 1<<30, " (bytes, 0 for none)")(field)
			if p.MaxBodyBuffer == 0 {
				p.MaxBodyBuffer = -1 // in RetryPolicy 0 is the default
			}
		},
	})(object)
	if f.Faults() == faults && p.initialBackoff() > p.maxBackoff() {
		f.Fail(object.Value.At, "initialBackoff, %s, is longer than maxBackoff, %s: write both, in order",
			seconds(p.initialBackoff()), seconds(p.maxBackoff()))
	}
}

func (f *policyFile) wrongType(field strictjson.Field, want string) {
	f.Fail(field.Value.At, "%s is %s: write %s", field.Name, field.Kind(), want)
}

func (f *policyFile) text(to *string, want string) reader {
	return func(field strictjson.Field) {
		s, ok := field.Data.(string)
		if !ok {
			f.wrongType(field, want)
		}
		*to = s
	}
}

func (f *policyFile) boolean(to *bool) reader {
	return func(field strictjson.Field) {
		b, ok := field.Data.(bool)
		if !ok {
			f.wrongType(field, "true or false")
		}
		*to = b
	}
}

// number reads a number between bounds that no sensible policy exceeds.
func (f *policyFile) number(to *float64, least, most float64) reader {
	return func(field strictjson.Field) {
		f.between(field, to, least, most, fmt.Sprintf("a number from %v to %v", least, most))
	}
}

// integer reads a whole number between bounds; meaning is told with the bounds.
// 4.0 and 1e3 are whole, as in a JSON Schema.
func integer[T int | int64](f *policyFile, to *T, least, most T, meaning string) reader {
	return func(field strictjson.Field) {
		want := fmt.Sprintf("a whole number from %d to %d%s", least, most, meaning)
		var v float64
		f.between(field, &v, float64(least), float64(most), want)
		if v != math.Trunc(v) {
			f.Fail(field.Value.At, "%s is %v: write %s", field.Name, v, want)
			return
		}
		*to = T(v)
	}
}

func (f *policyFile) between(field strictjson.Field, to *float64, least, most float64, want string) {
	n, ok := field.Data.(json.Number)
	if !ok {
		f.wrongType(field, want)
		return
	}
	v, err := n.Float64()
	if err != nil || v < least || v > most {
		f.Fail(field.Value.At, "%s is %s: write %s", field.Name, redact.Line(n.String(), 40), want)
		return
	}
	*to = v
}

func (f *policyFile) jitter(to *Jitter) reader {
	return func(field strictjson.Field) {
		s, ok := field.Data.(string)
		i := slices.Index(jitterNames[:], s)
		switch {
		case !ok:
			f.wrongType(field, `"full", "equal" or "none"`)
		case i < 0:
			f.Fail(field.Value.At, `%s is %s: write "full", "equal" or "none"`, field.Name, quote(s))
		default:
			*to = Jitter(i)
		}
	}
}

// statusCodes reads a list that may be empty, for none.
func (f *policyFile) statusCodes(to *[]int) reader {
	return func(list strictjson.Field) {
		values, ok := list.Data.([]strictjson.Value)
		if !ok {
			f.wrongType(list, "an array of status codes, such as [502, 503]")
			return
		}
		codes := make([]int, 0, len(values))
		for _, v := range values {
			var code int
			integer(f, &code, 400, 599, "")(strictjson.Field{At: v.At, Name: "status code", Value: v})
			if code != 0 && slices.Contains(codes, code) {
				f.Fail(v.At, "status code %d is there twice: take one out", code)
			}
			codes = append(codes, code)
		}
		*to = codes
	}
}

// duration reads seconds as gRPC writes them: up to nine digits, and up to nine
// more behind a point. There is one way to write a duration, so that a file
// reads alike for every tool; whoever writes another is told the right one.
func (f *policyFile) duration(to *time.Duration) reader {
	return func(field strictjson.Field) {
		at := field.Value.At
		s, ok := field.Data.(string)
		if n, isNumber := field.Data.(json.Number); isNumber {
			f.Fail(at, "%s is a number: write a string in seconds, such as %q", field.Name, mendDuration(n.String()))
			return
		} else if !ok {
			f.wrongType(field, `a string in seconds, such as "0.1s"`)
			return
		}
		d, ok := parseSeconds(s)
		switch {
		case !ok:
			f.Fail(at, "%s is %s: write seconds, such as %q", field.Name, quote(s), mendDuration(s))
		case d == 0:
			f.Fail(at, "%s is %s: write more, or leave it out for the default", field.Name, quote(s))
		default:
			*to = d
		}
	}
}

// parseSeconds reads a duration such as "0.1s".
func parseSeconds(s string) (time.Duration, bool) {
	number, ok := strings.CutSuffix(s, "s")
	whole, fraction, point := strings.Cut(number, ".")
	if !ok || !digits(whole) || point && !digits(fraction) {
		return 0, false
	}
	d, err := time.ParseDuration(s)
	return d, err == nil
}

// digits reports whether s is one to nine digits.
func digits(s string) bool {
	return len(s) > 0 && len(s) <= 9 && strings.Trim(s, "0123456789") == ""
}

// mendDuration writes in seconds what s seems to mean.
func mendDuration(s string) string {
	s = strings.ReplaceAll(s, " ", "")
	for _, s := range []string{s, s + "s"} {
		if d, err := time.ParseDuration(s); err == nil && d > 0 && d < 1e9*time.Second {
			return seconds(d)
		}
	}
	return "0.1s"
}

// seconds writes a duration as policy files have it.
func seconds(d time.Duration) string {
	s := fmt.Sprintf("%d.%09d", d/time.Second, d%time.Second)
	return strings.TrimSuffix(strings.TrimRight(s, "0"), ".") + "s"
}

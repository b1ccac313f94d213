package policies

import (
	"fmt"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/strictjson"
)

// File is what a policy file says, and what a [Set] chooses from.
type File struct {
	// Default is for requests that no pattern matches. If nil,
	// [apigw.Transport.Policy] is.
	Default *apigw.RetryPolicy
	// Services holds a policy per pattern. Each stands for itself: what it
	// leaves zero has the default of [apigw.RetryPolicy], not that of Default.
	Services map[string]apigw.RetryPolicy
}

// Load reads a policy file, see [Parse]. If the file cannot be read, the error
// wraps an [*os.PathError].
func Load(file string) (*File, error) {
	data, err := strictjson.Load(file)
	if err != nil {
		return nil, fmt.Errorf("policies: %w", err)
	}
	return Parse(file, data)
}

// Parse reads policies from JSON in the words of the gRPC service config: one
// for all, and one per pattern.
//
//	{
//	  "default": {"maxAttempts": 4, "initialBackoff": "250ms", "maxBackoff": "10s"},
//	  "services": {
//	    "GET api.example.com/orders/{id}": {"maxAttempts": 6, "throttling": {"maxWait": "5s"}},
//	    "POST api.example.com/orders": {"maxAttempts": 1}
//	  }
//	}
//
// The fields of a policy are maxAttempts, initialBackoff, maxBackoff,
// backoffMultiplier, jitter ("full", "equal" or "none"), attemptTimeout,
// maxElapsed, maxRetryAfter, retryableStatusCodes, retryNonIdempotent,
// maxBodyBuffer, quotaHold, trustProxyText, successMarks (objects with header,
// headerValue, jsonField and jsonValue, such as -1 or "failed"), and throttling
// with maxWait, limit (such as "100/s", see [apigw.ParseRateLimit]) and scope.
// They mean what the fields of [apigw.RetryPolicy] mean, and each may be left
// out for its default; "default" is not handed down to the services. Services
// that have the same scope share a call limit; without one each has its own. A
// duration is a string with a unit, as Go and gRPC write it, and more than 0:
// "250ms", "0.25s". maxBodyBuffer counts bytes, 0 for none.
//
// Parse is strict: an unknown or duplicate field, a value of the wrong type or
// without sense, patterns that conflict and anything behind the last brace are
// refused, all at once, each as "name:line:column: fault: fix". The name is only
// for these. [Schema] describes the file to editors.
func Parse(name string, data []byte) (*File, error) {
	p := &parser{File: strictjson.File{Name: name, Data: data, Empty: "{} for no policies"}}
	if err := p.Read(p.root()); err != nil {
		return nil, err
	}
	return &p.policies, nil
}

// parser is a policy file being read.
type parser struct {
	strictjson.File
	policies File
	patterns strictjson.Patterns
}

func (p *parser) root() strictjson.Reader {
	var schema string
	return p.Object(map[string]strictjson.Reader{
		"$schema": p.String(&schema),
		"default": func(field strictjson.Field) {
			p.policies.Default = new(apigw.RetryPolicy)
			p.policy(field, p.policies.Default)
		},
		"services": func(field strictjson.Field) {
			p.policies.Services = map[string]apigw.RetryPolicy{}
			p.Map(p.service)(field)
		},
	})
}

// service reads a pattern and its policy.
func (p *parser) service(field strictjson.Field) {
	var policy apigw.RetryPolicy
	pattern := field.Name
	named := field
	named.Name = "the policy of " + strictjson.Quote(pattern)
	p.policy(named, &policy)
	p.policies.Services[pattern] = policy
	p.patterns.Check(&p.File, pattern, field.At)
}

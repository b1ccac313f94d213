package apigw

import (
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"
)

// Services chooses the policy of a request by patterns. The zero value has
// none, so that [Transport.Policy] holds for all; [Services.Set] and
// [Services.Load] fill it, at the start and at any time later. Requests in
// flight end under the policy that they began with.
//
// Patterns are those of [http.ServeMux], "[METHOD ][HOST]/[PATH]":
//
//	"/"                                  every request
//	"api.example.com/orders/"            this host, and all below /orders/
//	"POST api.example.com/orders/{id}"   one segment; POST only
//	"GET /files/{path...}"               the rest of the path; GET and HEAD
//	"/orders/{$}"                        exactly /orders/
//
// The most specific one wins, one with a host before one without; two of which
// neither is more specific are refused. What differs, since requests are
// outgoing:
//
//   - The host is Request.Host or, where that is empty, that of the URL. It
//     counts in any letter case. A pattern may name no port, and none of the
//     request's is looked at.
//   - The path is matched as it will be sent, escapes decoded segment by
//     segment. It is not cleaned first, and /tree is not redirected to /tree/:
//     "/tree/" does not match it. A pattern must be clean and may not begin
//     with a scheme, since it would never match what it means.
//
// A Services is safe for concurrent use and may serve several Transports;
// choosing takes no lock and allocates nothing. Do not copy it.
type Services struct {
	table atomic.Pointer[serviceTable]
}

// Policies are what a [Services] chooses from.
type Policies struct {
	// Default is for requests that no pattern matches. If nil,
	// [Transport.Policy] is.
	Default *RetryPolicy
	// Services holds a policy per pattern. Each stands for itself: what it
	// leaves zero has the default of [RetryPolicy], not that of Default.
	Services map[string]RetryPolicy
}

// Set replaces all policies at once. If a pattern or a policy is refused, the
// error names each of them and what was in force stays so. Set keeps nothing
// of p.
func (s *Services) Set(p Policies) error {
	table := newServiceTable()
	var errs []error
	if p.Default != nil {
		if err := p.Default.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("apigw: default policy: %w", err))
		}
		table.fallback = &service{policy: p.Default.clone()}
	}
	for _, pattern := range slices.Sorted(maps.Keys(p.Services)) {
		policy := p.Services[pattern]
		if err := errors.Join(table.add(pattern, policy), policy.Validate()); err != nil {
			errs = append(errs, fmt.Errorf("apigw: service %q: %w", pattern, err))
		}
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	s.table.Store(table)
	return nil
}

// Load reads a policy file, see [ParsePolicies], and replaces all policies by
// what it says. If that fails, what was in force stays so.
func (s *Services) Load(file string) error {
	p, err := LoadPolicies(file)
	if err != nil {
		return err
	}
	return s.Set(*p)
}

// Match returns the policy of a request and the pattern that chose it, which is
// empty for [Policies.Default]. It returns false where neither exists.
func (s *Services) Match(req *http.Request) (policy RetryPolicy, pattern string, ok bool) {
	found := s.find(req)
	if found == nil {
		return RetryPolicy{}, "", false
	}
	return found.policy.clone(), found.pattern, true
}

// find returns the service of a request, nil if there is none.
func (s *Services) find(req *http.Request) *service {
	if s == nil {
		return nil
	}
	if table := s.table.Load(); table != nil && req.URL != nil {
		return table.find(req)
	}
	return nil
}

// service is a policy and the pattern that it belongs to.
type service struct {
	pattern string
	policy  RetryPolicy
}

package policies

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"sync/atomic"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/route"
)

// Set chooses the policy of a request. The zero value has none, so that
// [apigw.Transport.Policy] holds for all; [Set.Load] and [Set.Replace] fill it,
// at the start and at any time later. Requests in flight end under the policy
// that they began with.
//
// A Set is safe for concurrent use and may serve several Transports; choosing
// takes no lock and allocates nothing. Do not copy it.
type Set struct {
	table atomic.Pointer[table]
}

// table is not changed once it is in force.
type table struct {
	services route.Table[*apigw.RetryPolicy]
	fallback *apigw.RetryPolicy
}

// For returns the policy of a request, and nil if there is none, as
// [apigw.Transport.PolicyFor] wants it. The policy is the one in force: do not
// change it. A nil Set has no policy.
func (s *Set) For(req *http.Request) *apigw.RetryPolicy {
	policy, _ := s.find(req)
	return policy
}

// Match returns the policy of a request, a copy, and the pattern that chose it,
// which is empty for [File.Default]. It returns false where neither exists.
func (s *Set) Match(req *http.Request) (policy apigw.RetryPolicy, pattern string, ok bool) {
	found, pattern := s.find(req)
	if found == nil {
		return apigw.RetryPolicy{}, "", false
	}
	return clone(found), pattern, true
}

func (s *Set) find(req *http.Request) (policy *apigw.RetryPolicy, pattern string) {
	if s == nil {
		return nil, ""
	}
	t := s.table.Load()
	if t == nil {
		return nil, ""
	}
	if match, ok := t.services.Find(req); ok {
		return match.Value, match.Pattern
	}
	return t.fallback, ""
}

// Load reads a policy file, see [Parse], and replaces all policies by what it
// says. If that fails, what was in force stays so.
func (s *Set) Load(file string) error {
	f, err := Load(file)
	if err != nil {
		return err
	}
	return s.Replace(*f)
}

// Replace replaces all policies at once. A service without a LimitScope gets its
// pattern for one: it has call limits of its own. If a pattern or a policy is
// refused, the error names each of them and what was in force stays so. Replace
// keeps nothing of f.
func (s *Set) Replace(f File) error {
	t := new(table)
	var errs []error
	if f.Default != nil {
		if err := f.Default.Validate(); err != nil {
			errs = append(errs, fmt.Errorf("policies: default: %w", err))
		}
		t.fallback = new(apigw.RetryPolicy)
		*t.fallback = clone(f.Default)
	}
	for _, pattern := range slices.Sorted(maps.Keys(f.Services)) {
		given := f.Services[pattern]
		policy := clone(&given)
		policy.LimitScope = cmp.Or(policy.LimitScope, pattern)
		if err := errors.Join(t.services.Add(pattern, &policy), policy.Validate()); err != nil {
			errs = append(errs, fmt.Errorf("policies: service %q: %w", pattern, err))
		}
	}
	if errs != nil {
		return errors.Join(errs...)
	}
	s.table.Store(t)
	return nil
}

// clone copies what a caller could change behind the back of others.
func clone(p *apigw.RetryPolicy) apigw.RetryPolicy {
	c := *p
	c.RetryableStatusCodes = slices.Clone(p.RetryableStatusCodes)
	c.SuccessMarks = slices.Clone(p.SuccessMarks)
	return c
}

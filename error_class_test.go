package apigw

import (
	"errors"
	"fmt"
	"testing"

	"github.com/apigw-go/apigw/catalog"
)

func TestSentinels(t *testing.T) {
	all := []error{
		ErrThrottled,
		ErrQuota,
		ErrBilling,
		ErrAuth,
		ErrSignature,
		ErrReplay,
		ErrAccessControl,
		ErrBadRequest,
		ErrNotFound,
		ErrPlugin,
		ErrGateway,
		ErrBackend,
	}
	for entry := range catalog.All() {
		e := &Error{Entry: entry}
		matches := 0
		for _, s := range all {
			if errors.Is(e, s) {
				matches++
			}
		}
		if want := min(1, int(entry.Class)); matches != want { // none for an unknown class
			t.Errorf("%s of class %v matches %d sentinels, want %d", entry.ID, entry.Class, matches, want)
		}
	}
	e, _ := Classify(403, headers("B403MQ", ""))
	if !errors.Is(fmt.Errorf("wrapped: %w", e), ErrQuota) || errors.Is(e, ErrThrottled) {
		t.Errorf("%v must be ErrQuota and not ErrThrottled", e)
	}
	if !errors.Is(e, &Error{Code: "B403MQ"}) || errors.Is(e, &Error{}) || errors.Is(e, &Error{Code: "A400IK"}) {
		t.Errorf("%v must equal its own code only", e)
	}
	if e, _ := Classify(404, nil); errors.Is(e, ErrNotFound) {
		t.Error("the backend's 404 says nothing about the API")
	}
}

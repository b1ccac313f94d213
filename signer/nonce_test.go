package signer

import (
	"strings"
	"testing"
)

func TestNonceIsARandomUUID(t *testing.T) {
	a, b := newUUID(), newUUID()
	if a == b || len(a) != 36 || a[14] != '4' || strings.IndexByte("89ab", a[19]) < 0 {
		t.Errorf("got %q and %q, want two version 4 UUIDs", a, b)
	}
	for _, i := range []int{8, 13, 18, 23} {
		if a[i] != '-' {
			t.Errorf("got %q, want a hyphen at %d", a, i)
		}
	}
}

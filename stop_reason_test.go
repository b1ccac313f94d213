package apigw

import (
	"fmt"
	"slices"
	"testing"
)

func TestEnumsHaveNames(t *testing.T) {
	if got, want := len(stopReasons), int(StopQuotaHeld)+1; got != want {
		t.Errorf("%d stop reasons have texts, want %d", got, want)
	}
	var names []string
	for i := range stopReasons {
		s := StopReason(i)
		names = append(names, s.String())
		if s.String() == "" || s.Text() == "" {
			t.Errorf("stop reason %d lacks a name or a text", i)
		}
	}
	if slices.Sort(names); len(slices.Compact(names)) != len(stopReasons) {
		t.Errorf("names stand twice in %q", names)
	}
	for _, s := range []fmt.Stringer{StopReason(0), Origin(0)} {
		if s.String() != "unknown" {
			t.Errorf("%T: zero value is %q, want unknown", s, s)
		}
	}
	for got, want := range map[string]string{
		StopReason(99).String(): "StopReason(99)", StopReason(99).Text(): "StopReason(99)",
		Origin(99).String(): "Origin(99)",
		OriginNone.String(): "none", Jitter(9).String(): "Jitter(9)", JitterNone.String(): "none",
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

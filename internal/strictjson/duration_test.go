package strictjson_test

import (
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/internal/strictjson"
)

func TestDurations(t *testing.T) {
	for text, want := range map[string]time.Duration{
		`"250ms"`:       250 * time.Millisecond,
		`"0.25s"`:       250 * time.Millisecond,
		`"1m30s"`:       90 * time.Second,
		`"1.5h"`:        90 * time.Minute,
		`"3us"`:         3 * time.Microsecond,
		`"3µs"`:         3 * time.Microsecond,
		`"1ns"`:         1,
		`"999999999s"`:  999999999 * time.Second,
		`"0.00000001s"`: 10,
	} {
		var got everything
		if err := got.read(`{"wait": ` + text + `}`); got.wait != want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", text, got.wait, err, want)
		}
	}
}

func TestDurationsReport(t *testing.T) {
	const begin = "f:1:10: wait is "
	for text, want := range map[string]string{
		`1.5`:             `a number: write a string with a unit, such as "1.5s"`,
		`[]`:              `an array: write a string with a unit, such as "250ms" or "0.25s"`,
		`""`:              `"": write a duration, such as "250ms"`,
		`"10"`:            `"10": write a duration, such as "10s"`,
		`"1 s"`:           `"1 s": write a duration, such as "1s"`,
		`"5S"`:            `"5S": write a duration, such as "5s"`,
		`"-1s"`:           `"-1s": write a duration, such as "250ms"`,
		`"+1s"`:           `"+1s": write a duration, such as "1s"`,
		`".5s"`:           `".5s": write a duration, such as "500ms"`,
		`"1.s"`:           `"1.s": write a duration, such as "1s"`,
		`"1e3s"`:          `"1e3s": write a duration, such as "250ms"`,
		`"1d"`:            `"1d": write a duration, such as "250ms"`,
		`"1sss"`:          `"1sss": write a duration, such as "250ms"`,
		`"1s "`:           `"1s ": write a duration, such as "1s"`,
		`"1s\n"`:          `"1s\n": write a duration, such as "250ms"`,
		`"1000000000s"`:   `"1000000000s": write a duration, such as "250ms"`,
		`"300000h"`:       `"300000h": write a duration, such as "250ms"`,
		`"999999999h"`:    `"999999999h": write a duration, such as "250ms"`,
		`"1.0000000001s"`: `"1.0000000001s": write a duration, such as "1s"`,
		`"0s"`:            `"0s": write more, or leave it out for the default`,
		`"0.000ms"`:       `"0.000ms": write more, or leave it out for the default`,
		`"0"`:             `"0": write a duration, such as "250ms"`,
	} {
		err := new(everything).read(`{"wait": ` + text + `}`)
		if err == nil || err.Error() != begin+want {
			t.Errorf("%s: got %v, want %s%s", text, err, begin, want)
		}
	}
}

// What a fault proposes is accepted.
func FuzzDuration(f *testing.F) {
	for _, seed := range []string{
		"", "1s", "1m30s", "10", "-1s", "1d", "0.5 S", "1h1m1.1s", "999999999.999999999s", "300000h", "5µs",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		quoted := strings.NewReplacer(`\`, "", `"`, "", "\n", "", "\x00", "").Replace(text)
		err := new(everything).read(`{"wait": "` + quoted + `"}`)
		if err == nil || !strings.Contains(err.Error(), "write a duration, such as ") {
			return
		}
		_, proposed, _ := strings.Cut(err.Error(), "such as ")
		if d, ok := strictjson.ParseDuration(strings.Trim(proposed, `"`)); !ok || d <= 0 {
			t.Errorf("%q: got the proposal %s, which is refused too", text, proposed)
		}
	})
}

package strictjson

import (
	"encoding/json"
	"fmt"
	"math"
)

// Int reads a whole number between two bounds, both included. 4.0 and 1e3 are
// whole, as in a JSON Schema. note, if not empty, follows the bounds in a
// fault: "1 for no retry".
func Int[T ~int | ~int64](f *File, to *T, least, most T, note string) Reader {
	want := fmt.Sprintf("a whole number from %d to %d", least, most)
	if note != "" {
		want += " (" + note + ")"
	}
	return func(field Field) {
		v, ok := f.between(field, float64(least), float64(most), want)
		switch {
		case !ok:
		case v != math.Trunc(v):
			f.Fail(field.Value.At, "%s is %v: write %s", field.Name, v, want)
		default:
			*to = T(v)
		}
	}
}

// Number reads a number between two bounds, both included.
func (f *File) Number(to *float64, least, most float64) Reader {
	return func(field Field) {
		if v, ok := f.between(field, least, most, fmt.Sprintf("a number from %v to %v", least, most)); ok {
			*to = v
		}
	}
}

func (f *File) between(field Field, least, most float64, want string) (float64, bool) {
	n, ok := field.Data.(json.Number)
	if !ok {
		f.WrongType(field, want)
		return 0, false
	}
	v, err := n.Float64()
	if err != nil || v < least || v > most {
		f.Fail(field.Value.At, "%s is %s: write %s", field.Name, shorten(n.String()), want)
		return 0, false
	}
	return v, true
}

// shorten keeps a number of a million digits out of a fault.
func shorten(digits string) string {
	if len(digits) > 40 {
		return digits[:40] + "…"
	}
	return digits
}

package strictjson

import (
	"encoding/json"
	"strings"
	"time"
)

// maxDuration is beyond every sensible wait, 31 years, and small enough that
// nobody overflows when he adds it to a time.
const maxDuration = 1e9 * time.Second

// Duration reads a duration of more than 0, as Go and gRPC write it: "250ms",
// "0.25s", "1m30s".
func (f *File) Duration(to *time.Duration) Reader { return f.duration(to, false) }

// DurationOrZero reads a duration, as Duration does, that may be "0s".
func (f *File) DurationOrZero(to *time.Duration) Reader { return f.duration(to, true) }

func (f *File) duration(to *time.Duration, zero bool) Reader {
	return func(field Field) {
		at, want := field.Value.At, `a string with a unit, such as "250ms" or "0.25s"`
		s, ok := field.Data.(string)
		if n, number := field.Data.(json.Number); number {
			f.fail(at, func() string {
				return field.Name + " is a number: write a string with a unit, such as " +
					Quote(fixDuration(n.String()))
			})
			return
		} else if !ok {
			f.WrongType(field, want)
			return
		}
		d, ok := ParseDuration(s)
		switch {
		case !ok:
			f.fail(at, func() string {
				return field.Name + " is " + Quote(s) + ": write a duration, such as " + Quote(fixDuration(s))
			})
		case d == 0 && !zero:
			f.Fail(at, "%s is %s: write more, or leave it out for the default", field.Name, Quote(s))
		default:
			*to = d
		}
	}
}

// ParseDuration reads a duration such as "250ms", "0.25s" or "1m30s". Other
// than time.ParseDuration it wants a unit, digits on both sides of a point, no
// sign, and at most nine digits in a row, as gRPC does.
func ParseDuration(s string) (time.Duration, bool) {
	for rest := s; rest != "" || s == ""; {
		var ok bool
		if rest, ok = cutNumber(rest); !ok {
			return 0, false
		}
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d < maxDuration
}

// cutNumber takes a number and its unit off s.
func cutNumber(s string) (rest string, ok bool) {
	s, ok = cutDigits(s)
	if ok && strings.HasPrefix(s, ".") {
		s, ok = cutDigits(s[1:])
	}
	rest = strings.TrimLeft(s, "nuµμmsh")
	return rest, ok && rest != s
}

// cutDigits takes one to nine digits off s.
func cutDigits(s string) (rest string, ok bool) {
	rest = strings.TrimLeft(s, "0123456789")
	n := len(s) - len(rest)
	return rest, 1 <= n && n <= 9
}

// fixDuration writes what s seems to mean, in seconds if it has no unit.
func fixDuration(s string) string {
	s = strings.ToLower(strings.ReplaceAll(s, " ", ""))
	for _, s := range []string{s, s + "s"} {
		if d, err := time.ParseDuration(s); err == nil && d > 0 && d < maxDuration {
			return d.String()
		}
	}
	return "250ms"
}

package gatewaytest

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"
)

// Limit is a flow control: so many calls in a window of time. The zero value
// limits nothing.
//
// The gateway documents the units second, minute, hour and day, but not how
// the windows lie; so there is every kind.
type Limit struct {
	// Calls is how many pass in a window. If 0, there is no limit.
	Calls int
	// Window is how long a window is. If 0, there is no limit.
	Window time.Duration
	// Kind is how calls are counted.
	Kind LimitKind
	// Burst is how many calls a full TokenBucket lets pass at once. If 0, as
	// many as Calls. Other kinds do not use it.
	Burst int
	// CountRefused makes refused calls count too in a SlidingLog, so that who
	// keeps calling stays refused. It makes no difference to other kinds.
	CountRefused bool
	// Phase is how much later than a multiple of Window, counted from the
	// year 1970 in UTC, an AlignedWindow begins.
	Phase time.Duration
}

// LimitKind is how a [Limit] counts.
type LimitKind uint8

const (
	// OpenedWindow begins with the first call after the last window's end, as
	// a counter that expires.
	OpenedWindow LimitKind = iota
	// AlignedWindow begins at multiples of its length.
	AlignedWindow
	// SlidingLog looks at the window before each call.
	SlidingLog
	// TokenBucket fills evenly, Calls in a Window.
	TokenBucket
)

var limitKindNames = [...]string{"opened", "aligned", "sliding", "bucket"}

func (k LimitKind) String() string {
	if int(k) < len(limitKindNames) {
		return limitKindNames[k]
	}
	return fmt.Sprintf("LimitKind(%d)", uint8(k))
}

var units = []struct {
	name string
	d    time.Duration
}{{"s", time.Second}, {"min", time.Minute}, {"h", time.Hour}, {"d", 24 * time.Hour}}

// String returns what [ParseLimit] makes the limit of, except its Phase; "" for
// none.
func (l Limit) String() string {
	if l.Calls <= 0 || l.Window <= 0 {
		return ""
	}
	text := strconv.Itoa(l.Calls) + "/" + l.Window.String()
	for _, u := range units {
		if l.Window == u.d {
			text = strconv.Itoa(l.Calls) + "/" + u.name
		}
	}
	if l.Kind != OpenedWindow {
		text += " " + l.Kind.String()
	}
	if l.Burst > 0 {
		text += " burst=" + strconv.Itoa(l.Burst)
	}
	if l.CountRefused {
		text += " count-refused"
	}
	return text
}

// ParseLimit reads a limit: calls, a slash, the window, and words behind
// blanks. "100/s", "1000/min", "5000/h", "1000/d", "500/10s"; the kind is
// "opened", if not given, or "aligned", "sliding", "bucket"; a bucket may have
// "burst=20", a sliding log "count-refused".
func ParseLimit(text string) (Limit, error) {
	words := strings.Fields(text)
	if len(words) == 0 {
		return Limit{}, fmt.Errorf(`the limit is empty; write one such as "100/s" or "1000/min aligned"`)
	}
	calls, window, ok := strings.Cut(words[0], "/")
	n, err := strconv.Atoi(calls)
	if !ok || err != nil || n <= 0 {
		return Limit{}, fmt.Errorf(
			`limit %q does not begin with a number of calls and a window; write one such as "100/s"`, text)
	}
	l := Limit{Calls: n}
	if l.Window, err = parseWindow(window); err != nil {
		return Limit{}, fmt.Errorf("limit %q: %w", text, err)
	}
	for _, word := range words[1:] {
		if err := l.applyWord(word); err != nil {
			return Limit{}, fmt.Errorf("limit %q: %w", text, err)
		}
	}
	switch {
	case l.Burst > 0 && l.Kind != TokenBucket:
		return Limit{}, fmt.Errorf(`limit %q: only a bucket has a burst; add "bucket" or remove it`, text)
	case l.CountRefused && l.Kind != SlidingLog:
		return Limit{}, fmt.Errorf(`limit %q: only a sliding log counts refused calls; add "sliding" or remove it`,
			text)
	}
	return l, nil
}

func parseWindow(text string) (time.Duration, error) {
	for _, u := range units {
		if text == u.name || text == "m" && u.name == "min" {
			return u.d, nil
		}
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, fmt.Errorf("window %q is not s, min, h, d or a duration such as 10s", text)
	}
	return d, nil
}

func (l *Limit) applyWord(word string) error {
	if burst, ok := strings.CutPrefix(word, "burst="); ok {
		n, err := strconv.Atoi(burst)
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is not a number of calls", word)
		}
		l.Burst = n
		return nil
	}
	if word == "count-refused" {
		l.CountRefused = true
		return nil
	}
	for kind, name := range limitKindNames {
		if word == name {
			l.Kind = LimitKind(kind)
			return nil
		}
	}
	return fmt.Errorf("unknown word %q; known are %s, burst=N, count-refused", word,
		strings.Join(limitKindNames[:], ", "))
}

// limiter is a Limit in use.
type limiter struct {
	Limit
	mu    sync.Mutex
	start time.Time // of the window
	calls int       // in it
	// log is a ring of the times of the last calls, next is the oldest. More
	// of them than Limit.Calls cannot matter.
	log    []time.Time
	next   int
	tokens float64
	filled time.Time // when tokens was right
}

// newLimiters returns those of the limits that limit something.
func newLimiters(limits ...Limit) []*limiter {
	var all []*limiter
	for _, l := range limits {
		if l.Calls > 0 && l.Window > 0 {
			all = append(all, &limiter{Limit: l})
		}
	}
	return all
}

// verdict is what a limiter says about a call.
type verdict struct {
	limit     int
	remaining int           // calls; a sliding log does not say
	wait      time.Duration // until a refused call could pass, if nobody else calls
}

// take counts a call; false if there is no room for it.
func (l *limiter) take(now time.Time) (verdict, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch l.Kind {
	case SlidingLog:
		return l.takeFromLog(now)
	case TokenBucket:
		return l.takeToken(now)
	}
	return l.takeFromWindow(now)
}

func (l *limiter) takeFromWindow(now time.Time) (verdict, bool) {
	end := l.start.Add(l.Window)
	if l.start.IsZero() || !now.Before(end) || now.Before(l.start) { // the clock may be set back
		l.calls, l.start = 0, now
		if l.Kind == AlignedWindow {
			into := (now.UnixNano() - int64(l.Phase)) % int64(l.Window)
			if into < 0 {
				into += int64(l.Window)
			}
			l.start = now.Add(-time.Duration(into))
		}
		end = l.start.Add(l.Window)
	}
	if l.calls >= l.Calls {
		return verdict{limit: l.Calls, wait: end.Sub(now)}, false
	}
	l.calls++
	return verdict{limit: l.Calls, remaining: l.Calls - l.calls}, true
}

func (l *limiter) takeFromLog(now time.Time) (verdict, bool) {
	v := verdict{limit: l.Calls}
	ok := len(l.log) < l.Calls
	if !ok {
		v.wait = l.log[l.next].Add(l.Window).Sub(now)
		ok = v.wait <= 0
	}
	if ok || l.CountRefused {
		l.record(now)
	}
	if !ok {
		if l.CountRefused { // the call itself has moved the time on
			v.wait = l.log[l.next].Add(l.Window).Sub(now)
		}
		return v, false
	}
	return verdict{limit: l.Calls}, true
}

func (l *limiter) record(now time.Time) {
	if len(l.log) < l.Calls {
		l.log = append(l.log, now)
		return
	}
	l.log[l.next] = now
	l.next = (l.next + 1) % l.Calls
}

func (l *limiter) takeToken(now time.Time) (verdict, bool) {
	size := float64(cmp.Or(l.Burst, l.Calls))
	perToken := float64(l.Window) / float64(l.Calls)
	switch passed := now.Sub(l.filled); {
	case l.filled.IsZero():
		l.tokens, l.filled = size, now
	case passed > 0:
		l.tokens, l.filled = min(size, l.tokens+float64(passed)/perToken), now
	case passed < 0:
		l.filled = now // the clock was set back
	}
	// Rounding must not keep a token back that is there to the nanosecond.
	if l.tokens < 1-1e-9 {
		return verdict{limit: l.Calls, wait: time.Duration((1 - l.tokens) * perToken)}, false
	}
	l.tokens = max(0, l.tokens-1)
	return verdict{limit: l.Calls, remaining: int(l.tokens)}, true
}

// reset forgets all calls.
func (l *limiter) reset() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.start, l.calls, l.log, l.next, l.filled = time.Time{}, 0, nil, 0, time.Time{}
}

package apigw

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/apigw-go/apigw/catalog"
	"go.uber.org/zap/zapcore"
)

// Class sentinels for [errors.Is]. An [Error] matches the one of its class.
var (
	ErrThrottled     = sentinel("throttled", catalog.ClassThrottled)          // a rate limit refused the call
	ErrQuota         = sentinel("quota", catalog.ClassQuota)                  // purchased calls used up or expired
	ErrBilling       = sentinel("billing", catalog.ClassBilling)              // an account owes money
	ErrAuth          = sentinel("auth", catalog.ClassAuth)                    // AppKey, AppCode, token or authorization
	ErrSignature     = sentinel("signature", catalog.ClassSignature)          // signature or Content-MD5
	ErrReplay        = sentinel("replay", catalog.ClassReplay)                // timestamp or nonce
	ErrAccessControl = sentinel("access control", catalog.ClassAccessControl) // refused by address, network, origin or law
	ErrBadRequest    = sentinel("bad request", catalog.ClassBadRequest)       // the gateway does not accept the request
	ErrNotFound      = sentinel("not found", catalog.ClassNotFound)           // no such API, domain or stage
	ErrPlugin        = sentinel("plugin", catalog.ClassPlugin)                // a plug-in of the API is misconfigured
	ErrGateway       = sentinel("gateway", catalog.ClassGateway)              // the gateway itself failed
	// ErrBackend: the API's backend failed, timed out, could not be reached
	// or is held back by the circuit breaker.
	ErrBackend = sentinel("backend", catalog.ClassBackendConnect, catalog.ClassBackendTimeout, catalog.ClassBackendError, catalog.ClassCircuitOpen)
)

type classSentinel struct {
	name    string
	classes uint32 // one bit a class
}

func (s *classSentinel) Error() string { return "apigw: " + s.name }

func sentinel(name string, classes ...catalog.Class) error {
	s := &classSentinel{name: name}
	for _, c := range classes {
		s.classes |= 1 << c
	}
	return s
}

// Origin says who made a response.
type Origin uint8

// Who made a response. OriginUnknown: a text that is not in the catalog, which
// the error-mapping plug-in of the API's provider may have written after the
// backend ran. OriginNone: there was no response.
const (
	OriginUnknown Origin = iota
	OriginGateway
	OriginBackend // or an unknown proxy on the way
	OriginNone
)

var originNames = [...]string{"unknown", "gateway", "backend", "none"}

func (o Origin) String() string {
	if int(o) < len(originNames) {
		return originNames[o]
	}
	return fmt.Sprintf("Origin(%d)", uint8(o))
}

// Attempt is one sending of a request.
type Attempt struct {
	Number   int           // 1 for the first
	Start    time.Time     // when it was sent
	Duration time.Duration // until the response head or the failure
	Wait     time.Duration // the pause before it
	Status   int           // 0 without a response
	// Code, Message and RequestID are the gateway's, as received; empty
	// where it sent none.
	Code      catalog.Code
	Message   string
	RequestID string
	Err       error // why there was no response, else nil
}

// Error is a failure that the gateway, the backend or the network reported,
// with all that is known about it. [FromResponse] finds it on a response; an
// error returned by [Transport.RoundTrip] is one too, with Err set.
//
// It is not changed after it was handed out. Reading it is safe for concurrent
// use.
type Error struct {
	// Entry is what the catalog says: meaning, remedy, class, who can mend
	// it. Never nil; a general entry with the ID "unknown" where no row fits.
	Entry *catalog.Entry
	// Code is X-Ca-Error-Code, empty on classic instances.
	Code catalog.Code
	// Status is 0 without a response. Where Stop is StopNonceUsed, all this is
	// the first failure, not the refusal of the nonce that came back at last.
	Status int
	// Message is X-Ca-Error-Message as received. It can hold query strings,
	// and on a refused signature form values: do not log it.
	Message   string
	Params    []catalog.Param // the varying parts of Message, if it is known
	RequestID string          // X-Ca-Request-Id, to be given to support
	Origin    Origin
	// Inferred says that the code is not in the catalog and that Entry
	// follows from the code's shape.
	Inferred bool
	// Reached says whether the backend may have run the request. It can
	// differ from Entry.Reached where the text tells more than the code.
	Reached catalog.Reached

	// Method, Host and Path are the request's. There is no query.
	Method, Host, Path string

	Attempts []Attempt
	Stop     StopReason // why there was no further attempt; 0 if none was decided
	Err      error      // the cause where there is no response, else nil

	// shown is what Error prints of a Message that is not in the catalog.
	shown string
}

// FromResponse returns the decoded failure that [Transport] attached to resp,
// whatever wrapped the response since. It returns nil and false for a response
// below 400, one that did not come through a Transport, and nil.
func FromResponse(resp *http.Response) (*Error, bool) {
	if resp == nil || resp.Request == nil || resp.StatusCode < 400 {
		return nil, false
	}
	e, ok := resp.Request.Context().Value(errorKey{}).(*Error)
	return e, ok
}

type errorKey struct{}

// errorContext carries an Error. It is a context of its own so that it can lie
// in the same allocation.
type errorContext struct {
	context.Context
	err *Error
}

func (c *errorContext) Value(key any) any {
	if key == (errorKey{}) {
		return c.err
	}
	return c.Context.Value(key)
}

// entry is Entry, also in an Error that a test made by hand.
func (e *Error) entry() *catalog.Entry {
	if e.Entry == nil {
		return catalog.ByStatus(e.Status)
	}
	return e.Entry
}

// Is reports whether target is the sentinel of e's class, or an Error with the
// same code.
func (e *Error) Is(target error) bool {
	switch t := target.(type) {
	case *classSentinel:
		return t.classes&(1<<e.entry().Class) != 0 && e.entry().Class != catalog.ClassUnknown
	case *Error:
		return t.Code != "" && t.Code == e.Code
	}
	return false
}

// Unwrap returns e.Err.
func (e *Error) Unwrap() error { return e.Err }

// Timeout reports whether the cause is a timeout; net/http asks for it.
func (e *Error) Timeout() bool {
	var t interface{ Timeout() bool }
	return errors.As(e.Err, &t) && t.Timeout()
}

// Error returns one line: code first, then meaning, remedy, request id,
// attempts and why there was no further one. It holds no query string, no
// credential and nothing of a string to sign.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("apigw: ")
	if e.Status != 0 {
		if e.Code != "" {
			b.WriteString(clean(string(e.Code), 32))
			b.WriteByte(' ')
		}
		b.WriteString(strconv.Itoa(e.Status))
		if m := e.SafeMessage(); m != "" {
			b.WriteByte(' ')
			b.WriteString(m)
		}
		b.WriteString(": ")
		b.WriteString(e.entry().Meaning.EN)
		switch {
		case e.Inferred:
			b.WriteString(" (inferred from the code)")
		case e.entry().ID != catalog.UnknownID && !e.entry().Verified():
			b.WriteString(" (unverified)")
		}
		b.WriteString("; ")
		b.WriteString(e.entry().Remedy.EN)
		if e.RequestID != "" {
			b.WriteString("; request id ")
			b.WriteString(clean(e.RequestID, 64))
		}
	} else {
		b.WriteString("no response")
	}
	if e.Host != "" {
		fmt.Fprintf(&b, "; %s %s%s", clean(e.Method, 16), clean(e.Host, 256), clean(e.Path, 256))
	}
	if e.Err != nil {
		b.WriteString(": ")
		b.WriteString(safeText(e.Err))
	}
	if n := len(e.Attempts); n == 1 {
		b.WriteString("; 1 attempt")
	} else if n > 1 {
		fmt.Fprintf(&b, "; %d attempts", n)
	}
	if e.Stop != StopUnknown {
		b.WriteString(", no further one: ")
		b.WriteString(e.Stop.Text())
	}
	return b.String()
}

// SafeMessage returns the gateway's text for a log: the catalog's wording with
// only those parameters that cannot hold a secret, other texts cleaned,
// shortened and without query strings. Empty where there was no text.
func (e *Error) SafeMessage() string {
	if e.entry().ID == catalog.UnknownID {
		if e.shown != "" {
			return e.shown
		}
		return showUnknown(e.Message)
	}
	return fillTemplate(e.entry(), e.Params)
}

// safeParams are parameters that name a thing. Others, such as a Reason, may
// repeat what the request carried.
var safeParams = map[string]bool{
	"HeaderName": true, "ParameterName": true, "PluginName": true, "Protocol": true, "Domain": true, "DomainName": true,
	"RuleName": true, "Resource": true, "Method": true, "Path": true, "Date": true,
}

// reasonsShown are the rows whose reason names an address or a path.
var reasonsShown = map[string]bool{"D504CO": true, "I404NF": true, "D503CB": true}

// fillTemplate writes the message of a row with its safe parameters; a dotted
// gap stands for the others.
func fillTemplate(entry *catalog.Entry, params []catalog.Param) string {
	text := strings.Replace(entry.Message, "%s", "…", 1)
	var b strings.Builder
	for {
		before, rest, ok := strings.Cut(text, "${")
		b.WriteString(before)
		if !ok {
			return strings.TrimSpace(b.String())
		}
		var name string
		name, text, _ = strings.Cut(rest, "}")
		value := "…"
		for _, p := range params {
			if p.Name == name && (safeParams[name] || name == "Reason" && reasonsShown[entry.ID]) {
				value = clean(cutQueries(p.Value), 120)
			}
		}
		b.WriteString(value)
	}
}

// showUnknown quotes a text that the catalog does not know. Values of secrets,
// such as those of a request's credentials, are replaced.
func showUnknown(message string, secrets ...string) string {
	for _, s := range secrets {
		if len(s) >= 4 {
			message = strings.ReplaceAll(message, s, "***")
		}
	}
	if message = clean(cutQueries(message), 120); message == "" {
		return ""
	}
	return strconv.Quote(message)
}

// cutQueries shortens "?a=b&c=d" to "?…", and drops what follows the mark of a
// string to sign.
func cutQueries(s string) string {
	if len(s) > 4096 {
		s = s[:4096]
	}
	const mark = "stringtosign"
	for i := 0; i+len(mark) <= len(s); i++ {
		if strings.EqualFold(s[i:i+len(mark)], mark) {
			s = s[:i+len(mark)] + "…"
			break
		}
	}
	for at := 0; ; {
		i := strings.IndexByte(s[at:], '?')
		if i < 0 {
			return s
		}
		at += i + 1
		end := strings.IndexAny(s[at:], " \t\r\n")
		if end < 0 {
			end = len(s) - at
		}
		if end > 0 {
			s = s[:at] + "…" + s[at+end:]
		}
	}
}

// clean makes s printable on one line and at most limit characters long.
func clean(s string, limit int) string {
	plain := len(s) <= limit
	for i := 0; plain && i < len(s); i++ {
		plain = s[i] >= ' ' && s[i] < 0x7f
	}
	if plain {
		return s
	}
	var b strings.Builder
	n := 0
	for _, r := range s {
		if n++; n > limit {
			b.WriteString("…")
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		b.WriteRune(r)
	}
	return b.String()
}

// safeText is err's text without the query strings of URLs. A *url.Error in
// the chain names the whole URL, so only what it wraps is told.
func safeText(err error) string {
	var u *url.Error
	if errors.As(err, &u) && u.Err != nil {
		err = u.Err
	}
	return clean(cutQueries(err.Error()), 400)
}

// MarshalLogObject implements [zapcore.ObjectMarshaler] with what [Error.Error]
// tells, as fields.
func (e *Error) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddString("id", e.entry().ID)
	if e.Code != "" {
		enc.AddString("code", clean(string(e.Code), 32))
	}
	if e.Status != 0 {
		enc.AddInt("status", e.Status)
	}
	enc.AddString("class", e.entry().Class.String())
	enc.AddString("origin", e.Origin.String())
	if m := e.SafeMessage(); m != "" {
		enc.AddString("message", m)
	}
	enc.AddString("meaning", e.entry().Meaning.EN)
	if e.entry().ID != catalog.UnknownID && !e.entry().Verified() {
		enc.AddBool("unverified", true)
	}
	enc.AddString("remedy", e.entry().Remedy.EN)
	enc.AddString("backend_reached", e.Reached.String())
	if e.RequestID != "" {
		enc.AddString("request_id", clean(e.RequestID, 64))
	}
	if e.Err != nil {
		enc.AddString("cause", safeText(e.Err))
	}
	if e.Stop != StopUnknown {
		enc.AddString("stop_reason", e.Stop.String())
	}
	if len(e.Attempts) == 0 {
		return nil
	}
	return enc.AddArray("attempts", attempts(e.Attempts))
}

type attempts []Attempt

func (a attempts) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for i := range a {
		if err := enc.AppendObject(&a[i]); err != nil {
			return err
		}
	}
	return nil
}

// MarshalLogObject implements [zapcore.ObjectMarshaler]. The message is left
// out: it may hold what must not be logged.
func (a *Attempt) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddInt("attempt", a.Number)
	enc.AddDuration("wait", a.Wait)
	enc.AddDuration("duration", a.Duration)
	if a.Status != 0 {
		enc.AddInt("status", a.Status)
	}
	if a.Code != "" {
		enc.AddString("code", clean(string(a.Code), 32))
	}
	if a.RequestID != "" {
		enc.AddString("request_id", clean(a.RequestID, 64))
	}
	if a.Err != nil {
		enc.AddString("cause", safeText(a.Err))
	}
	return nil
}

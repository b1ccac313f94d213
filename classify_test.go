package apigw

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

func headers(code, message string) http.Header {
	h := http.Header{}
	if code != "" {
		h.Set(headerErrorCode, code)
	}
	if message != "" {
		h.Set(headerErrorMessage, message)
	}
	return h
}

// observed returns the fields of each line of testdata/observed.tsv, responses
// seen in the wild.
func observed(t testing.TB) (lines [][]string) {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "observed.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		lines = append(lines, strings.Split(line, "\t"))
	}
	return lines
}

// Those whose text came in a body, too.
func TestClassifyObserved(t *testing.T) {
	for i, f := range observed(t) {
		t.Run(fmt.Sprintf("line %d", i+2), func(t *testing.T) {
			status, _ := strconv.Atoi(f[0])
			id, params, want := "none", "", f[4]
			h, body := headers(f[1], f[2]), []byte(nil)
			if text, ok := strings.CutPrefix(want, "body="); ok {
				body, want = []byte(text), ""
			}
			if code, ok := strings.CutPrefix(want, "body.code="); ok {
				h, body, want = nil, []byte(`{"code":"`+code+`","message":"x"}`), ""
			}
			if e, ok := ClassifyBody(status, h, body); ok {
				id = e.Entry.ID
				for _, p := range e.Params {
					params += p.Name + "=" + p.Value
				}
			}
			if id != f[3] || params != want {
				t.Errorf("%s %q %q: got %s %q, want %s %q", f[0], f[1], f[2], id, params, f[3], want)
			}
		})
	}
}

const connectTimeout = "Backend service connect failed `Timeout connecting to 10.0.0.1:80`"

func TestClassifyRules(t *testing.T) {
	const gw, be, un = OriginGateway, OriginBackend, OriginUnknown
	for name, c := range map[string]struct {
		status   int
		header   http.Header
		id       string
		origin   Origin
		reached  catalog.Reached
		inferred bool
	}{
		"code":                  {403, headers("B403MQ", ""), "B403MQ", gw, catalog.ReachedNo, false},
		"code beats text":       {403, headers("B403MQ", "Unauthorized"), "B403MQ", gw, catalog.ReachedNo, false},
		"code with blanks":      {403, headers(" B403MQ ", ""), "B403MQ", gw, catalog.ReachedNo, false},
		"code in small letters": {403, headers("b403mq", ""), "B403MQ", gw, catalog.ReachedNo, false},
		"unknown code":          {429, headers("T429ZZ", ""), "unknown", gw, catalog.ReachedMaybe, true},
		"unknown code, known text": {
			500, headers("X500ZZ", "Quota Exhausted"), "classic.quota-exhausted", gw, catalog.ReachedMaybe, true,
		},
		"classic name as code": {
			403, headers("Quota Exhausted", ""), "classic.quota-exhausted", gw, catalog.ReachedNo, false,
		},
		"malformed code": {500, headers("E1", ""), "unknown", un, catalog.ReachedMaybe, false},
		"malformed code, known text": {
			403, headers("E1", "Quota Exhausted"), "classic.quota-exhausted", gw, catalog.ReachedMaybe, false,
		},
		"text": {
			504, headers("", "Async Service"), "classic.async-service", gw, catalog.ReachedMaybe, false,
		},
		"text with more behind it": {
			403, headers("", "User Arrears, sorry"), "classic.user-arrears", gw, catalog.ReachedMaybe, false,
		},
		"phrase of its status": {
			503, headers("", "Service Unavailable"), "classic.service-unavailable", un, catalog.ReachedMaybe, false,
		},
		"phrase in small letters": {
			503, headers("", "service  unavailable "), "classic.service-unavailable", un, catalog.ReachedMaybe,
			false,
		},
		"phrase with more behind it": {
			503, headers("", "Service Unavailable, sorry"), "classic.service-unavailable", gw, catalog.ReachedMaybe,
			false,
		},
		"phrase of another status": {
			500, headers("", "Service Unavailable"), "unknown", un, catalog.ReachedMaybe, false,
		},
		"phrase at 401":       {401, headers("", "Unauthorized"), "unknown", un, catalog.ReachedMaybe, false},
		"phrase no row knows": {404, headers("", "Not Found"), "unknown", un, catalog.ReachedMaybe, false},
		"no phrase at 403": {
			403, headers("", "Unauthorized"), "classic.unauthorized", gw, catalog.ReachedNo, false,
		},
		"text at another status": {
			502, headers("", "Quota Exhausted"), "unknown", un, catalog.ReachedMaybe, false,
		},
		"text at a documented other": {
			401, headers("", "Empty Signature"), "classic.empty-signature", gw, catalog.ReachedNo, false,
		},
		"code at another status": {500, headers("D503CB", ""), "D503CB", gw, catalog.ReachedMaybe, false},
		"code of a low row":      {503, headers("D503BB", ""), "D503BB", gw, catalog.ReachedMaybe, false},
		"code of a recalled row": {
			429, headers("T429UR", "Throttled by USER Flow Control"), "T429UR", gw, catalog.ReachedMaybe, false,
		},
		"recalled text, no code": {
			503, headers("", "Backend circuit breaker open, `x`"), "D503CB", gw, catalog.ReachedMaybe, false,
		},
		"unknown code, longer text": {
			403, headers("X403ZZ", "User Arrears since May"), "unknown", gw, catalog.ReachedMaybe, true,
		},
		"text of a body in a header": {
			503, headers("", "no healthy upstream"), "envoy.no-healthy-upstream", un, catalog.ReachedMaybe, false,
		},
		"phrase that a body has": {
			429, headers("", "Too Many Requests"), "unknown", un, catalog.ReachedMaybe, false,
		},
		"D504CO, refused": {
			504, headers("D504CO", "Backend service connect failed 'Connection refused'"), "D504CO", gw,
			catalog.ReachedMaybe, false,
		},
		"OK": {500, headers("", "OK"), "unknown", be, catalog.ReachedMaybe, false},
		"unknown text": {
			404, headers("", "Role Not Exists, ResultId=1"), "unknown", un, catalog.ReachedMaybe, false,
		},
		"nothing":                {500, nil, "unknown", be, catalog.ReachedMaybe, false},
		"403 alone says nothing": {403, nil, "unknown", be, catalog.ReachedMaybe, false},
		"D504CO, connect timeout": {
			504, headers("D504CO", "Backend service connect failed `Timeout connecting to 10.0.0.1:80`"), "D504CO",
			gw, catalog.ReachedNo, false,
		},
		"D504CO, single quotes": {
			504, headers("D504CO", "Backend service connect failed 'timeout connecting to [h/10.0.0.1:80]'"),
			"D504CO", gw, catalog.ReachedNo, false,
		},
		"D504CO, pool": {
			504, headers("", "Backend service connect failed `Connection lease request time out`"), "D504CO", gw,
			catalog.ReachedNo, false,
		},
		"D504CO, free text": {
			504, headers("", "Backend service connect failed Timeout connecting to orders-db after the insert"),
			"D504CO", gw, catalog.ReachedMaybe, false,
		},
		"two spellings of a header": {
			403, http.Header{"x-ca-error-message": {"Quota Exhausted"}, "X-CA-ERROR-MESSAGE": {"Unauthorized"}},
			"classic.unauthorized", gw, catalog.ReachedMaybe, false,
		},
		"two codes": {
			504, http.Header{headerErrorCode: {"D504CO", "D504TO"}, headerErrorMessage: {connectTimeout}},
			"D504CO", gw, catalog.ReachedMaybe, false,
		},
		"two codes in one line": {
			504, headers("D504CO, D504TO", connectTimeout), "D504CO", gw, catalog.ReachedMaybe, false,
		},
		"two texts": {
			504, http.Header{headerErrorCode: {"D504CO"}, headerErrorMessage: {connectTimeout, "Internal Error"}},
			"D504CO", gw, catalog.ReachedMaybe, false,
		},
		"the same code twice": {
			504, http.Header{headerErrorCode: {"D504CO", " D504CO", ""}, headerErrorMessage: {connectTimeout}},
			"D504CO", gw, catalog.ReachedNo, false,
		},
		"nine codes": {
			504, http.Header{headerErrorCode: slices.Repeat([]string{"D504CO"}, 9), headerErrorMessage: {connectTimeout}},
			"D504CO", gw, catalog.ReachedMaybe, false,
		},
		"D504CO, more words in the reason": {
			504, headers("D504CO", "Backend service connect failed `Timeout connecting to orders after the insert`"),
			"D504CO", gw, catalog.ReachedMaybe, false,
		},
		"D504CO, the reason alone": {
			504, headers("D504CO", "`Timeout connecting to 10.0.0.1:80`"), "D504CO", gw, catalog.ReachedNo, false,
		},
		"D504CO, closed": {
			504, headers("D504CO", "Backend service connect failed `Connection is closed`"), "D504CO", gw,
			catalog.ReachedMaybe, false,
		},
		"D504CO, no reason": {504, headers("D504CO", ""), "D504CO", gw, catalog.ReachedMaybe, false},
		"header key in small letters": {
			403, http.Header{"x-ca-error-message": {"Quota Exhausted"}}, "classic.quota-exhausted", gw,
			catalog.ReachedNo, false,
		},
		"first value blank": {
			403, http.Header{headerErrorMessage: {" ", "Quota Exhausted"}}, "classic.quota-exhausted", gw,
			catalog.ReachedNo, false,
		},
		"a megabyte of text": {
			500, headers("", strings.Repeat("x", 1<<20)), "unknown", un, catalog.ReachedMaybe, false,
		},
		"non-ASCII":     {500, headers("", "服务不可用"), "unknown", un, catalog.ReachedMaybe, false},
		"invalid UTF-8": {500, headers("\xff\xfe", "\xff"), "unknown", un, catalog.ReachedMaybe, false},
	} {
		t.Run(name, func(t *testing.T) {
			e, ok := Classify(c.status, c.header)
			if !ok {
				t.Fatal("no failure")
			}
			if e.Entry.ID != c.id || e.Origin != c.origin || e.Reached != c.reached || e.Inferred != c.inferred {
				t.Errorf("got %s, %v, %v, %v; want %s, %v, %v, %v", e.Entry.ID, e.Origin, e.Reached, e.Inferred, c.id,
					c.origin, c.reached, c.inferred)
			}
		})
	}
}

func TestClassifySuccessIsNoError(t *testing.T) {
	for _, status := range []int{100, 200, 204, 304, 399} {
		if e, ok := Classify(status, headers("X500ER", "Internal Error")); ok {
			t.Errorf("status %d: got %v", status, e)
		}
	}
	if e, ok := Classify(0, headers("", "OK")); ok {
		t.Errorf("no status and OK: got %v", e)
	}
}

func FuzzClassify(f *testing.F) {
	for e := range catalog.All() {
		f.Add(e.Status, string(e.Code), e.Message, "id")
	}
	for _, o := range observed(f) {
		status, _ := strconv.Atoi(o[0])
		f.Add(status, o[1], o[2], "id")
	}
	f.Add(503, "", "Service Unavailable?token=1", "\x1b[31m")
	f.Add(403, "A403IS", "Invalid Signature, Server StringToSign:`GET#a?b=c`", "")
	f.Fuzz(func(t *testing.T, status int, code, message, id string) {
		h := http.Header{headerErrorCode: {code}, headerErrorMessage: {message}, headerRequestID: {id}}
		e, ok := Classify(status, h)
		if !ok {
			return
		}
		if e.Entry.ID == "" {
			t.Fatal("no entry")
		}
		text := e.Error()
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			t.Errorf("control character in %q", text)
		}
		if len(text) > 4<<10 {
			t.Errorf("%d bytes of text", len(text))
		}
		for _, p := range []RetryPolicy{{}, {RetryNonIdempotent: true}, {MaxThrottleWait: 1}} {
			s := situation{policy: &p, attempt: 1, left: noDeadline, bodyReplayable: true}
			d := decide(e, s, func() time.Duration { return 0 })
			if d.unless == nothing && e.Reached != catalog.ReachedNo && !p.RetryNonIdempotent {
				t.Errorf("%v would be retried although it may have run", e)
			}
		}
	})
}

// Whatever a body says, it never proves by itself that nothing ran.
func FuzzClassifyBody(f *testing.F) {
	for e := range catalog.All() {
		if e.Place == catalog.PlaceBody {
			f.Add(e.Status, "X-Fc-Request-Id", []byte(e.Message))
		}
	}
	f.Add(401, "Content-Type", []byte(`{"code":"A403JE"}`))
	f.Add(503, headerServiceTime, []byte("no healthy upstream\xff"))
	f.Fuzz(func(t *testing.T, status int, name string, body []byte) {
		e, ok := ClassifyBody(status, http.Header{name: {"1"}}, body)
		if !ok {
			return
		}
		if e.Entry.ID == "" || e.Reached == catalog.ReachedUnknown || e.Reached == catalog.ReachedNo &&
			!hasMark(http.Header{name: {"1"}}) {
			t.Errorf("%q, reached %v", e.Entry.ID, e.Reached)
		}
		if text := e.Error(); len(text) > 4<<10 || strings.ContainsFunc(text, func(r rune) bool {
			return r < ' ' ||
				r == 0x7f
		}) {
			t.Errorf("text of %d bytes: %q", len(text), text)
		}
	})
}

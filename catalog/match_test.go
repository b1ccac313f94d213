package catalog

import (
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestMatchText(t *testing.T) {
	for name, c := range map[string]struct {
		text     string
		status   int
		id       string
		params   string
		appended string
	}{
		"plain":                  {"Quota Exhausted", 403, "classic.quota-exhausted", "", ""},
		"other case and space":   {"  quota   EXHAUSTED\t", 0, "classic.quota-exhausted", "", ""},
		"text behind":            {"User Arrears since May", 403, "classic.user-arrears", "", "since May"},
		"within a word":          {"Unauthorizedly", 403, "", "", ""},
		"in the middle":          {"Sorry: Quota Exhausted", 403, "", "", ""},
		"longest first":          {"Unauthorized Consumer", 403, "higress.unauthorized-consumer", "", ""},
		"status decides":         {"Throttled by API Flow Control", 429, "T429PA", "", ""},
		"classic without status": {"Throttled by API Flow Control", 0, "classic.throttled-api", "", ""},
		"double T":               {"TThrottled by GROUP Flow Control", 403, "classic.throttled-group", "", ""},
		"single T":               {"Throttled by GROUP Flow Control", 403, "classic.throttled-group", "", ""},
		"header before body":     {"Empty Signature", 401, "classic.empty-signature", "", ""},
		"case before dialect":    {"Request Body Too Large", 413, "higress.body-too-large", "", ""},
		"backticks":              {"Header `X-Ca-Key` is Required", 400, "I400MH", "HeaderName=X-Ca-Key", ""},
		"quotes":                 {"header 'X-Ca-Key' is required", 400, "I400MH", "HeaderName=X-Ca-Key", ""},
		"neither":                {"Header X-Ca-Key is Required", 400, "I400MH", "HeaderName=X-Ca-Key", ""},
		"torn template":          {"Header `X-Ca-Key`", 400, "", "", ""},
		"two parameters": {
			"Invalid Header `X-Ca-Stage` is too long", 400, "I400HD", "HeaderName=X-Ca-Stage|Reason=is too long",
			"",
		},
		"two words": {
			"Invalid plugin meta jwt no key", 400, "X400PM", "PluginName=jwt|Reason=no key", "",
		},
		"wide space around the words": {
			"Header   `X-Ca-Key`   is   Required", 400, "I400MH", "HeaderName=X-Ca-Key", "",
		},
		"quotes in quotes": {
			"Backend service connect failed `Timeout connecting to `10.0.0.1:80``", 504, "D504CO",
			"Reason=Timeout connecting to `10.0.0.1:80`", "",
		},
		"no reason": {"Backend service connect failed", 504, "D504CO", "", ""},
		"same words, other end": {
			"Backend domain `a.example` resolve failed", 504, "D504RE", "Domain=a.example", "",
		},
		"same words, longer end": {
			"Backend domain `a.example` resolve to illegal address `10.0.0.1`", 504, "D504IL",
			"Domain=a.example|Address=10.0.0.1", "",
		},
		"verbatim where not quoted": {"Invalid AppCode `not exists`", 400, "A400AC", "Reason=`not exists`", ""},
		"bare words of a template":  {"Invalid AppCode", 400, "classic.invalid-appcode", "", ""},
		"name of %s": {
			"Invalid Signature, Server StringToSign:`GET#a`", 400, "classic.invalid-signature",
			"StringToSign=GET#a", "",
		},
		"%s without quotes": {
			"Invalid Signature, Server StringToSign:GET#a", 403, "A403IS", "StringToSign=GET#a", "",
		},
		"cut short": {
			"Invalid Signature, Server StringToSign:`GET#a", 400, "classic.invalid-signature", "StringToSign=GET#a",
			"",
		},
		"Higress": {
			"Server StringToSign:`GET#a`", 400, "higress.invalid-signature", "StringToSign=GET#a", "",
		},
		"curly apostrophe":            {"Group’s instance invalid", 410, "I410GG", "", ""},
		"begins with a parameter":     {"Role not found", 404, "", "", ""},
		"prefix with parameter":       {"Device id 7 not found", 404, "I404DD", "DeviceId=7", ""},
		"empty":                       {"", 403, "", "", ""},
		"blank":                       {" \t ", 403, "", "", ""},
		"longer than any":             {strings.Repeat("Quota ", 1000), 403, "", "", ""},
		"control characters":          {"Quota\x00Exhausted\x01", 403, "classic.quota-exhausted", "", ""},
		"text of a mapping plug-in":   {"Role Not Exists, ResultId=d02afa56394f4588832bed46614e1772", 404, "", "", ""},
		"known words, non-ASCII tail": {"Quota Exhausted。", 403, "classic.quota-exhausted", "", "。"},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := MatchText(c.text, c.status)
			if c.id == "" {
				if ok {
					t.Fatalf("got %s, want none", got.Entry.ID)
				}
				return
			}
			if !ok {
				t.Fatalf("got none, want %s", c.id)
			}
			if got.Entry.ID != c.id || format(got.Params) != c.params || got.Appended != c.appended {
				t.Errorf("got %s %q %q, want %s %q %q", got.Entry.ID, format(got.Params), got.Appended, c.id,
					c.params, c.appended)
			}
		})
	}
}

func TestMatchEntry(t *testing.T) {
	e, _ := Lookup("A403IS")
	m, ok := MatchEntry(e, "Invalid Signature, Server StringToSign:`GET#a`")
	if !ok || m.Entry != e || format(m.Params) != "StringToSign=GET#a" {
		t.Errorf("got %+v, %v", m, ok)
	}
	if m, ok := MatchEntry(e, "Quota Exhausted"); ok {
		t.Errorf("another row's text: got %+v", m)
	}
}

func TestReachedByReason(t *testing.T) {
	for text, want := range map[string]Reached{
		"Backend service connect failed `Timeout connecting to 10.0.0.1:80`":        ReachedNo,
		"Backend service connect failed 'timeout connecting to [host/10.0.0.1:80]'": ReachedNo,
		"Backend service connect failed `Connection lease request time out`":        ReachedNo,
		"Backend service connect failed `Timeout connecting to `10.0.0.1:80``":      ReachedNo,
		"Backend service connect failed `Timeout connecting`":                       ReachedNo,
		"Backend service connect failed `Timeout connecting to a after the insert`": ReachedMaybe,
		"Backend service connect failed `Timeout connecting to a` after `17`":       ReachedMaybe,
		"Backend service connect failed `Timeout connecting to a;retried`":          ReachedMaybe,
		"Backend service connect failed `Timeout connecting, Connection is closed`": ReachedMaybe,
		"Backend service connect failed `Connection lease request time out, twice`": ReachedMaybe,
		"Backend service connect failed `Connection is closed`":                     ReachedMaybe,
		"Backend service connect failed 'Connection refused'":                       ReachedMaybe,
		"Backend service connect failed":                                            ReachedMaybe,
		"Service Unavailable":                                                       ReachedMaybe,
		"Internal Error":                                                            ReachedMaybe,
	} {
		if m, ok := MatchText(text, 0); !ok || m.Reached() != want {
			t.Errorf("%s: got %v, %v, want %v", text, m.Reached(), ok, want)
		}
	}
}

func format(params []Param) string {
	var s []string
	for _, p := range params {
		s = append(s, p.Name+"="+p.Value)
	}
	return strings.Join(s, "|")
}

// Texts that were seen in the wild, those that came in a body included.
func TestMatchObserved(t *testing.T) {
	data, err := os.ReadFile(filepath.Join("..", "testdata", "observed.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	for i, line := range strings.Split(strings.TrimSpace(string(data)), "\n")[1:] {
		f := strings.Split(line, "\t")
		status, _ := strconv.Atoi(f[0])
		text, params := f[2], f[4]
		if body, ok := strings.CutPrefix(params, "body="); ok {
			text, params = body, ""
		}
		if text == "" || text == "OK" || f[1] != "" {
			continue
		}
		t.Run(fmt.Sprintf("line %d %.40s", i+2, text), func(t *testing.T) {
			got, ok := MatchText(text, status)
			id := "unknown"
			if ok {
				id = got.Entry.ID
			}
			if id != f[3] || format(got.Params) != params {
				t.Errorf("got %s %q, want %s %q", id, format(got.Params), f[3], params)
			}
		})
	}
}

// reference is a message as a regular expression, and the length of what stands
// before its first parameter.
type reference struct {
	id     string
	expr   *regexp.Regexp
	prefix int
}

// references are the slow plain way: every message tried row by row. They know
// the words, not the ranking between rows.
var references = sync.OnceValue(func() (all []reference) {
	squeeze := func(s string) string { return strings.Join(strings.Fields(s), " ") }
	for e := range matchedByText() {
		for _, message := range append([]string{e.Message}, e.Aliases()...) {
			expr := regexp.MustCompile("[`']?\\\\\\$\\\\\\{\\w+\\\\\\}[`']?|[`']?%s[`']?").
				ReplaceAllString(regexp.QuoteMeta(squeeze(message)), "\x00")
			prefix, _, _ := strings.Cut(expr, "\x00")
			n := len(strings.TrimSpace(regexp.MustCompile(`\\(.)`).ReplaceAllString(prefix, "$1")))
			expr = regexp.MustCompile(` ?\x00 ?`).ReplaceAllString(expr, ` ?.*? ?`)
			if last := message[len(message)-1]; isWord(last) {
				expr += `(\b|$)`
			}
			all = append(all, reference{e.ID, regexp.MustCompile(`(?is)^` + expr), n})
		}
	}
	return all
})

// matchedByText yields the rows that MatchText knows.
func matchedByText() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		for e := range All() {
			known := e.Message != "" && e.Place != PlaceNowhere &&
				!strings.HasPrefix(e.Message, "${") && !isJSON(e.Message)
			if known && !yield(e) {
				return
			}
		}
	}
}

func referenceMatch(text string) (ids []string) {
	text = strings.Join(strings.Fields(text), " ")
	longest := 0
	for _, r := range references() {
		if r.prefix < longest || !r.expr.MatchString(text) {
			continue
		}
		if r.prefix > longest {
			longest, ids = r.prefix, nil
		}
		ids = append(ids, r.id)
	}
	return ids
}

func TestMatchAgreesWithReference(t *testing.T) {
	fill := regexp.MustCompile(`\$\{\w+\}|%s`)
	for e := range matchedByText() {
		for _, message := range append([]string{e.Message}, e.Aliases()...) {
			for _, text := range []string{
				fill.ReplaceAllString(message, "value"),
				strings.ToUpper(fill.ReplaceAllString(message, "value")),
				"  " + strings.ReplaceAll(fill.ReplaceAllString(message, "value"), " ", "   ") + " ",
				fill.ReplaceAllString(message, "value") + " and more",
			} {
				want := referenceMatch(text)
				got, ok := MatchText(text, e.Status)
				if !ok || !slices.Contains(want, got.Entry.ID) {
					t.Errorf("MatchText(%q) = %v, %v; the reference says %v", text, got.Entry, ok, want)
				}
			}
		}
	}
}

func FuzzMatchText(f *testing.F) {
	for e := range All() {
		f.Add(e.Message, e.Status)
	}
	f.Add("Header `` is Required", 400)
	f.Add("Backend domain ` resolve failed` resolve to illegal address '", 504)
	f.Fuzz(func(t *testing.T, text string, status int) {
		m, ok := MatchText(text, status)
		if !ok {
			return
		}
		for _, p := range m.Params {
			if !strings.Contains(text, p.Value) {
				t.Errorf("parameter %q is not in %q", p.Value, text)
			}
		}
		if !strings.HasSuffix(trim(text), m.Appended) {
			t.Errorf("appended %q does not end %q", m.Appended, text)
		}
	})
}

// Every literal prefix must fit the fold buffer, else its row is never found.
func TestPrefixesFit(t *testing.T) {
	for e := range All() {
		for _, message := range append([]string{e.Message}, e.Aliases()...) {
			if n := len(parsePattern(&e, message).prefix); n > maxPrefix {
				t.Errorf("%s: prefix of %d bytes, at most %d fit", e.ID, n, maxPrefix)
			}
		}
	}
}

func BenchmarkMatchText(b *testing.B) {
	rows := slices.Clone(slices.Collect(func(yield func(Entry) bool) {
		for e := range All() {
			if !yield(e) {
				return
			}
		}
	}))
	tenfold := slices.Clone(rows)
	for i := range 9 * len(rows) {
		e := rows[i%len(rows)]
		e.Message, e.aliases = fmt.Sprintf("%d %s", i, e.Message), ""
		tenfold = append(tenfold, e)
	}
	for _, table := range []struct {
		name string
		p    patterns
	}{{"118-rows", newPatterns(rows)}, {"1180-rows", newPatterns(tenfold)}} {
		for name, text := range map[string]string{
			"plain":    "Quota Exhausted",
			"template": "API not found with `GET /v2/user/abc`",
			"unknown":  "Role Not Exists, ResultId=d02afa56394f4588832bed46614e1772",
		} {
			b.Run(table.name+"/"+name, func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					table.p.match(text, 403, "")
				}
			})
		}
	}
}

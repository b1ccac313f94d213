package catalog

import (
	"slices"
	"testing"
	"time"
)

// An importer cannot change what others get: it tries through everything that
// the package returns.
func TestNothingReturnedChangesTheCatalog(t *testing.T) {
	before := snapshot()
	spoil := func(e *Entry) {
		for _, s := range [][]string{e.Aliases(), e.NotSentReasons()} {
			for i := range s {
				s[i] = "spoiled"
			}
			_ = append(s[:0:0], "spoiled")
		}
		*e = Entry{ID: "spoiled", Retry: RetrySoon, Wait: time.Hour, aliases: "spoiled"}
	}
	spoilMatch := func(m Match, ok bool) {
		spoil(&m.Entry)
		for i := range m.Params {
			m.Params[i] = Param{"spoiled", "spoiled"}
		}
	}
	for e := range All() {
		if byID, ok := ByID(e.ID); ok {
			spoil(&byID)
		}
		if byCode, ok := Lookup(e.Code); ok {
			spoil(&byCode)
		}
		spoilMatch(MatchText(e.Message, e.Status))
		spoilMatch(MatchEntry(e, e.Message))
		spoil(&e)
	}
	for status := range 1000 {
		e := ByStatus(status)
		spoil(&e)
		for _, letter := range "ABCDINSTX" {
			if e, ok := Infer(Code(letter)+"400ZZ", status); ok {
				spoil(&e)
			}
		}
	}
	none := NoResponse()
	spoil(&none)
	if after := snapshot(); !slices.Equal(after, before) {
		t.Error("the catalog changed")
	}
}

// snapshot is everything that the package says.
func snapshot() (all []Entry) {
	for e := range All() {
		byID, _ := ByID(e.ID)
		byCode, _ := Lookup(e.Code)
		m, _ := MatchText(e.Message, e.Status)
		all = append(all, e, byID, byCode, m.Entry)
	}
	for status := range 1000 {
		inferred, _ := Infer("D503ZZ", status)
		all = append(all, ByStatus(status), inferred)
	}
	return append(all, NoResponse())
}

func TestTraits(t *testing.T) {
	got := map[string][]string{}
	for e := range All() {
		if e.NonceUsed() {
			got["nonce used"] = append(got["nonce used"], e.ID)
		}
		if e.TimestampExpired() {
			got["timestamp expired"] = append(got["timestamp expired"], e.ID)
		}
		if e.LimitsHost() {
			got["limits host"] = append(got["limits host"], e.ID)
		}
		if e.LimitsCaller() {
			got["limits caller"] = append(got["limits caller"], e.ID)
		}
		if (e.LimitsHost() || e.LimitsCaller()) && e.Class != ClassThrottled {
			t.Errorf("%s: a limit of the class %v, want throttled", e.ID, e.Class)
		}
	}
	for trait, want := range map[string][]string{
		"nonce used":        {"classic.nonce-used", "S403NU", "higress.replay-attack-detected"},
		"timestamp expired": {"classic.timestamp-expired", "S403TE", "higress.hmac-clock-skew"},
		"limits host": {
			"classic.throttled-domain", "classic.throttled-group", "T429ID", "T429IN", "T429GR", "T429SR",
		},
		"limits caller": {"classic.throttled-user", "classic.throttled-app", "T429UR"},
	} {
		if !slices.Equal(got[trait], want) {
			t.Errorf("%s: got %q, want %q", trait, got[trait], want)
		}
	}
}

func TestShowsParam(t *testing.T) {
	for _, c := range []struct {
		id, param string
		want      bool
	}{
		{"I400MH", "HeaderName", true},
		{"I400HD", "Reason", false},
		{"D504CO", "Reason", true},
		{"A403IS", "StringToSign", false},
		{"classic.invalid-signature", "StringToSign", false},
		{"I400MH", "", false},
		{"classic.quota-exhausted", "", false},
	} {
		e, ok := ByID(c.id)
		if got := e.ShowsParam(c.param); !ok || got != c.want {
			t.Errorf("%s: ShowsParam(%q) = %v, want %v", c.id, c.param, got, c.want)
		}
	}
}

// A parameter that is listed has to be one of the message.
func TestShownParamsExist(t *testing.T) {
	for e := range All() {
		var names []string
		e.Fill(func(name string) string { names = append(names, name); return "" })
		for _, shown := range list(e.shownParams) {
			if !slices.Contains(names, shown) {
				t.Errorf("%s: shows %q, the message has %q", e.ID, shown, names)
			}
		}
	}
}

func TestTextIn(t *testing.T) {
	text := Text{EN: "quota", ZH: "配额"}
	for lang, want := range map[string]string{
		"": "quota", "en_US": "quota", "z": "quota", "zh": "配额", "zh_CN.UTF-8": "配额", "ZH-hant": "配额",
	} {
		if got := text.In(lang); got != want {
			t.Errorf("In(%q) = %q, want %q", lang, got, want)
		}
	}
}

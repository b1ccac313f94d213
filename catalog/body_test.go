package catalog

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMatchBody(t *testing.T) {
	type header = map[string][]string
	const resetReason = "upstream connect error or disconnect/reset before headers. reset reason: "
	fc := header{"X-Fc-Request-Id": {"1"}}
	for name, c := range map[string]struct {
		status int
		header header
		body   string
		id     string // "" for none
		params string
		marked bool
	}{
		"text": {503, nil, "no healthy upstream", "envoy.no-healthy-upstream", "", true},
		"white space around it": {
			503, nil, "\r\n no healthy upstream\n", "envoy.no-healthy-upstream", "", true,
		},
		"unknown status":    {0, nil, "no healthy upstream", "envoy.no-healthy-upstream", "", true},
		"another status":    {500, nil, "no healthy upstream", "", "", false},
		"other letter case": {503, nil, "No healthy upstream", "", "", false},
		"more words":        {503, nil, "no healthy upstream, sorry", "", "", false},
		"words in front":    {503, nil, "payment: no healthy upstream", "", "", false},
		"within a word":     {503, nil, "no healthy upstreams", "", "", false},
		"passed on by the proxy": {
			503, header{"x-envoy-upstream-service-time": {"3"}}, "no healthy upstream", "envoy.upstream-answer", "",
			true,
		},
		"blank service time": {
			503, header{"x-envoy-upstream-service-time": {" "}}, "no healthy upstream", "envoy.no-healthy-upstream",
			"", true,
		},
		"template": {
			503, nil,
			resetReason + "remote connection failure, transport failure reason: TLS_error",
			"envoy.remote-connection-failure-reason", "Reason=TLS_error", true,
		},
		"template without its value": {
			503, nil,
			resetReason + "remote connection failure, transport failure reason:",
			"envoy.upstream-connect-error", "", true,
		},
		"a reason that no row has": {
			503, nil, resetReason + "${Reason}",
			"envoy.upstream-connect-error", "", true,
		},
		"shortened by a page": {
			503, nil, "upstream connect error or disconnect/reset header", "apig-cloud-native.security-group", "",
			false,
		},
		"quoted values": {
			400, nil, "invalid header 'x-envoy-max-retries' with value 'it's'", "envoy.invalid-header",
			"Name=x-envoy-max-retries|Value=it's", false,
		},
		"I400HD is another row": {400, nil, "Invalid Header `X` is bad", "", "", false},
		"headers tell the generation": {
			429, header{"X-Tokenratelimit-Reset": {"9"}}, "Too many requests", "higress-ai.too-many-tokens", "",
			true,
		},
		"the other one": {
			429, header{"x-ratelimit-reset": {"9"}}, "Too many requests", "higress.too-many-requests", "", true,
		},
		"neither header": {429, nil, "Too many requests", "higress.too-many-requests", "", false},
		"nonce used, not throttled": {
			429, nil, "Replay Attack Detected", "higress.replay-attack-detected", "", false,
		},
		"JSON": {
			401, nil, `{"message":"client request can't be validated: Clock skew exceeded"}`,
			"higress.hmac-clock-skew", "", false,
		},
		"JSON, another layout": {
			401, nil, "{\n  \"message\" : \"client request can't be validated: Clock skew exceeded\"\n}",
			"higress.hmac-clock-skew", "", false,
		},
		"JSON, a parameter": {
			401, nil, `{"message":"client request can't be validated: unsupported algorithm: hmac-md5"}`,
			"higress.hmac-algorithm-unsupported", "Algorithm=hmac-md5", false,
		},
		"JSON, a number and Chinese": {
			401, nil, `{"msg":"认证失败","code":401}`, "higress.simple-jwt-failed", "", false,
		},
		"JSON, the number as a string": {401, nil, `{"msg":"认证失败","code":"401"}`, "", "", false},
		"JSON, more words":             {403, nil, `{"message":"Your IP address is blocked. Sorry"}`, "", "", false},
		"JSON in an array":             {403, nil, `[{"message":"Your IP address is blocked."}]`, "", "", false},
		"JSON, cut off":                {403, nil, `{"message":"Your IP address is blocked."`, "", "", false},
		"JSON, two objects":            {403, nil, `{"message":"Your IP address is blocked."}{}`, "", "", false},
		"JSON that needs its header": {
			403, fc, `{"errorCode":"AccessDenied","errorMessage":"denied by policy"}`, "fc.access-denied",
			"Message=denied by policy", true,
		},
		"JSON without its header": {
			403, nil, `{"errorCode":"AccessDenied","errorMessage":"denied by policy"}`, "", "", false,
		},
		"Function Compute behind a proxy": {
			503, header{"x-fc-request-id": {"1"}, "x-envoy-upstream-service-time": {"3"}},
			`{"errorCode":"ResourceThrottled","errorMessage":"m"}`, "fc.resource-throttled", "Message=m", true,
		},
		"a code in JSON": {
			401, nil, `{"code":"A403JE","message":"token expired"}`, "A403JE", "", false,
		},
		"a code in JSON, small letters": {401, nil, `{"code":"a403je"}`, "A403JE", "", false},
		"an unknown code in JSON":       {401, nil, `{"code":"A403ZZ"}`, "", "", false},
		"a code that is a number":       {401, nil, `{"code":403}`, "", "", false},
		"header alone": {
			429, header{"X-Envoy-RateLimited": {"true"}}, "slow down", "envoy.rate-limited", "", true,
		},
		"header with another value": {429, header{"X-Envoy-RateLimited": {"false"}}, "slow down", "", "", false},
		"header and an empty body": {
			401, header{"Www-Authenticate": {"Key realm=MSE"}}, "", "higress.key-invalid", "", true,
		},
		"header and a body":     {401, header{"Www-Authenticate": {"Key realm=MSE"}}, "x", "", "", false},
		"one of two servers":    {404, header{"Server": {"istio-envoy"}}, "", "envoy.no-route", "", true},
		"another server":        {404, header{"Server": {"nginx"}}, "", "", "", false},
		"status alone":          {421, nil, "wrong host", "higress.misdirected", "", false},
		"not UTF-8":             {503, nil, "no healthy upstream\xff", "", "", false},
		"text of a header only": {403, nil, "Quota Exhausted", "", "", false},
		"refusal with status 200": {
			200, header{"X-Fc-Error-Type": {"HandledInvocationError"}}, `{"a":1}`, "fc.handled-error", "", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := MatchBody(c.status, c.header, c.body, true)
			if ok != (c.id != "") || got.Entry.ID != c.id || format(got.Params) != c.params || got.Marked != c.marked {
				t.Errorf("got %q %q, marked %v; want %q %q, %v", got.Entry.ID, format(got.Params), got.Marked, c.id,
					c.params, c.marked)
			}
		})
	}
}

// What is not known whole is not looked at.
func TestMatchBodyNotWhole(t *testing.T) {
	for name, c := range map[string]struct {
		status int
		header map[string][]string
		body   string
		id     string
	}{
		"text":         {503, nil, "no healthy upstream", ""},
		"JSON":         {401, nil, `{"code":"A403JE"}`, ""},
		"empty":        {503, nil, "", ""},
		"status alone": {421, nil, "", "higress.misdirected"},
		"header alone": {429, map[string][]string{"x-envoy-ratelimited": {"true"}}, "", "envoy.rate-limited"},
	} {
		if m, ok := MatchBody(c.status, c.header, c.body, false); ok != (c.id != "") || m.Entry.ID != c.id {
			t.Errorf("%s: got %q, %v; want %q", name, m.Entry.ID, ok, c.id)
		}
	}
}

// An answer of the backend has the judgement of its status.
func TestPassedOnAnswers(t *testing.T) {
	header := map[string][]string{"X-Envoy-Upstream-Service-Time": {"3"}}
	for status, want := range map[int]Class{404: ClassUnknown, 429: ClassThrottled, 503: ClassBackendError} {
		m, ok := MatchBody(status, header, "x", true)
		general := ByStatus(status)
		if !ok || m.Entry.Class != want || m.Entry.Retry != general.Retry || m.Entry.Reached != ReachedYes ||
			m.Entry.Status != status {
			t.Errorf("%d: got %+v", status, m.Entry)
		}
	}
}

// Words around the text of a row never lead to it, and neither does a part of it.
func TestNothingButTheWholeTextMatches(t *testing.T) {
	for e := range All() {
		if e.Place != PlaceBody || isJSON(e.Message) || e.traits&openEnded != 0 {
			continue
		}
		text := e.Fill(func(string) string { return "value" })
		around := []string{"payment: " + text, "\"" + text + "\"", text[1:]}
		if !strings.HasSuffix(e.Message, "}") { // a parameter at the end takes all
			around = append(around, text+" (from stock)", text[:len(text)-1])
		}
		for _, body := range around {
			if m, ok := MatchBody(e.Status, nil, body, true); ok && m.Entry.ID == e.ID {
				t.Errorf("%q leads to %s", body, e.ID)
			}
		}
	}
}

func FuzzMatchBody(f *testing.F) {
	for e := range All() {
		f.Add(e.Status, e.Message, "x-fc-request-id", true)
	}
	f.Add(503, "{\"code\":\"D503CB\"", "x-envoy-upstream-service-time", true)
	f.Add(401, "{\"code\":{}}", "", true)
	f.Fuzz(func(t *testing.T, status int, body, name string, whole bool) {
		header := map[string][]string{name: {"1"}}
		m, ok := MatchBody(status, header, body, whole)
		if !ok {
			return
		}
		if _, known := ByID(m.Entry.ID); !known {
			t.Errorf("a row that is none: %q", m.Entry.ID)
		}
		if m.Entry.Place == PlaceBody && (!whole || !utf8.ValidString(body)) {
			t.Errorf("%s by a body that is not whole", m.Entry.ID)
		}
		if status != 0 && m.Entry.Place != PlaceHeader && !m.Entry.HasStatus(status) {
			t.Errorf("%s at status %d", m.Entry.ID, status)
		}
	})
}

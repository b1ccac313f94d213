package redact

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// Secrets are the values of a call that must not be shown, as they were
// collected. Collecting is cheap and keeps neither request nor body; taking
// the values apart is left to [Secrets.Masker]. The zero value has none.
type Secrets struct {
	values []value
}

type value struct {
	kind kind
	text string
}

type kind uint8

const (
	plain      kind = iota
	credential      // of an Authorization header: a scheme, then what counts
	cookie          // name=value; name=value
	query           // name=value&name=value, escaped
	document        // JSON
)

// Of collects the values of requests: that of the caller and, where it is
// another, the one that a signer below made of it. Nil requests have none.
// It reads no body, see [Secrets.AddBody].
func Of(requests ...*http.Request) Secrets {
	var s Secrets
	for i, r := range requests {
		if !slices.Contains(requests[:i], r) {
			s.AddRequest(r)
		}
	}
	return s
}

// AddRequest adds the values of one more request; nil has none.
func (s *Secrets) AddRequest(r *http.Request) {
	if r == nil {
		return
	}
	s.addHeader(r.Header)
	s.addHeader(r.Trailer)
	if r.URL != nil {
		s.addURL(r.URL)
	}
}

// Add adds values that are secret as a whole.
func (s *Secrets) Add(values ...string) {
	for _, v := range values {
		s.add(plain, v)
	}
}

func (s *Secrets) add(k kind, text string) {
	if len(text) >= minLength {
		if s.values == nil {
			s.values = make([]value, 0, 8) // of most requests, in one allocation
		}
		s.values = append(s.values, value{k, text})
	}
}

func (s *Secrets) addHeader(h http.Header) {
	for name, values := range h {
		if IsHarmlessHeader(name) {
			continue
		}
		for _, v := range values {
			switch strings.ToLower(name) {
			case "authorization", "proxy-authorization":
				s.add(credential, v)
			case "cookie":
				s.add(cookie, v)
			default:
				s.add(plain, v)
			}
		}
	}
}

func (s *Secrets) addURL(u *url.URL) {
	s.add(query, u.RawQuery)
	s.add(plain, u.Fragment)
	if u.User != nil {
		password, _ := u.User.Password()
		s.Add(u.User.Username(), password)
	}
	// A query that somebody wrote into the path.
	if _, q, ok := strings.Cut(u.Path, "?"); ok {
		s.add(query, q)
	}
}

// maxBody bounds how much of a body is looked at.
const maxBody = 64 << 10

// AddBody adds the values of a form or JSON body of at most 64 KiB that can be
// read again, through GetBody.
func (s *Secrets) AddBody(req *http.Request) {
	if req == nil || req.GetBody == nil || req.ContentLength <= 0 || req.ContentLength > maxBody {
		return
	}
	k, ok := kindOfBody(req.Header)
	if !ok {
		return
	}
	body, err := req.GetBody()
	if err != nil || body == nil {
		return
	}
	defer body.Close()
	if data, err := io.ReadAll(io.LimitReader(body, maxBody)); err == nil {
		s.add(k, string(data))
	}
}

// AddBodyText adds the values of a body of that request, for who has it.
func (s *Secrets) AddBodyText(h http.Header, body []byte) {
	if k, ok := kindOfBody(h); ok && len(body) <= maxBody {
		s.add(k, string(body))
	}
}

func kindOfBody(h http.Header) (kind, bool) {
	for name, values := range h {
		if len(values) == 0 || !strings.EqualFold(name, "Content-Type") {
			continue
		}
		switch t := strings.ToLower(values[0]); {
		case strings.HasPrefix(t, "application/x-www-form-urlencoded"):
			return query, true
		case strings.Contains(t, "json"):
			return document, true
		}
	}
	return plain, false
}

// expand takes the values apart: each in all the forms in which a server may
// repeat it. add may be called with any text, short ones and doubles included.
func (v value) expand(add func(string)) {
	switch v.kind {
	case plain:
		add(v.text)
		add(unescaped(v.text))
		for piece := range strings.FieldsFuncSeq(v.text,
			func(r rune) bool { return r == ' ' || r == ',' || r == ';' }) {
			add(piece)
		}
	case credential:
		add(v.text)
		_, credentials, _ := strings.Cut(v.text, " ")
		credentials = strings.TrimSpace(credentials)
		add(credentials)
		expandBasic(credentials, add)
	case cookie:
		for pair := range strings.SplitSeq(v.text, ";") {
			_, text, _ := strings.Cut(pair, "=")
			text = strings.Trim(strings.TrimSpace(text), `"`)
			add(text)
			add(unescaped(text))
		}
	case query:
		add(v.text)
		for pair := range strings.FieldsFuncSeq(v.text, func(r rune) bool { return r == '&' || r == ';' }) {
			_, text, _ := strings.Cut(pair, "=")
			add(text)
			add(unescaped(text))
		}
	case document:
		expandJSON(v.text, add)
	}
}

// expandBasic adds user and password of HTTP Basic credentials.
func expandBasic(credentials string, add func(string)) {
	data, err := base64.StdEncoding.DecodeString(credentials)
	if err != nil {
		return
	}
	user, password, ok := strings.Cut(string(data), ":")
	if ok {
		add(string(data))
		add(user)
		add(password)
	}
}

// expandJSON adds the strings and numbers of a document, but not its names.
func expandJSON(text string, add func(string)) {
	d := json.NewDecoder(bytes.NewReader([]byte(text)))
	d.UseNumber()
	var document any
	if d.Decode(&document) == nil {
		expandAny(document, add)
	}
}

func expandAny(v any, add func(string)) {
	switch v := v.(type) {
	case string:
		add(v)
	case json.Number:
		add(v.String())
	case []any:
		for _, e := range v {
			expandAny(e, add)
		}
	case map[string]any:
		for _, e := range v {
			expandAny(e, add)
		}
	}
}

// unescaped undoes URL escapes, or returns s where there are none.
func unescaped(s string) string {
	if !strings.ContainsAny(s, "%+") {
		return s
	}
	if plain, err := url.QueryUnescape(s); err == nil {
		return plain
	}
	return s
}

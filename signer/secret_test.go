package signer

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"
)

type xmlSecrets struct{ A, B Secret }

func TestSecretDoesNotShow(t *testing.T) {
	s := testSigner()
	s.AppCode = "appcode-value"
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown["signer "+verb] = fmt.Sprintf(verb, s)
		shown["secret "+verb] = fmt.Sprintf(verb, s.AppSecret)
		shown["slice "+verb] = fmt.Sprintf(verb, []Secret{s.AppSecret})
		shown["key of a map "+verb] = fmt.Sprintf(verb, map[Secret]string{s.AppSecret: "a"})
		shown["pointer "+verb] = fmt.Sprintf(verb, &struct{ A *Signer }{s}) + masked
		shown["map "+verb] = fmt.Sprintf(verb, map[string]Secret{"a": s.AppSecret})
	}
	text, err := json.Marshal(struct{ A, B Secret }{s.AppSecret, s.AppCode})
	if err != nil {
		t.Fatal(err)
	}
	shown["json"] = string(text)
	if text, err = xml.Marshal(xmlSecrets{s.AppSecret, s.AppCode}); err != nil {
		t.Fatal(err)
	}
	shown["xml"] = string(text)
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(struct{ A Secret }{s.AppSecret}); err != nil {
		t.Fatal(err)
	}
	shown["gob"] = encoded.String()
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("signer", "secret", s.AppSecret)
	slog.New(slog.NewTextHandler(&b, nil)).Info("signer", "secret", s.AppSecret)
	shown["slog"] = b.String()
	for how, text := range shown {
		for _, secret := range []string{testSecret, string(s.AppCode), fmt.Sprintf("%x", testSecret),
			fmt.Sprintf("%X", testSecret)} {
			if strings.Contains(text, secret) {
				t.Errorf("%s shows it", how)
			}
		}
		if !strings.Contains(text, masked) {
			t.Errorf("%s: got %q, want %s in it", how, text, masked)
		}
	}
	if got := fmt.Sprintf("%v", Secret("")); got != "" {
		t.Errorf("empty secret: got %q, want nothing", got)
	}
}

func TestSecretIsReadFromJSON(t *testing.T) {
	var config struct{ Secret Secret }
	if err := json.Unmarshal([]byte(`{"Secret":"abc"}`), &config); err != nil || string(config.Secret) != "abc" {
		t.Errorf("got %d bytes, %v, want the text", len(config.Secret), err)
	}
}

func TestDiagnosisDoesNotShowValues(t *testing.T) {
	d, ok := Diagnose(signedBase, refusal(strings.Replace(signedBase, "p#w", "hidden", 1)))
	if !ok {
		t.Fatal("got no diagnosis")
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
		for _, got := range []string{fmt.Sprintf(verb, d), fmt.Sprintf(verb, *d), fmt.Sprintf(verb, []Diagnosis{*d})} {
			if strings.Contains(got, "hidden") || strings.Contains(got, "p#w") || !strings.Contains(got, "password") {
				t.Errorf("%s: got %q, want the name of the parameter alone", verb, got)
			}
		}
	}
}

// A Signer that was used holds what it learned.
func TestUsedSignerDoesNotShowSecrets(t *testing.T) {
	s := testSigner()
	s.Now = func() time.Time { return today }
	g := &script{answers: []answer{expired(20 * time.Minute), {status: 200}}}
	s.Base = g
	if _, err := s.RoundTrip(newRequest(t, "GET", "https://api.example.com/?token=hidden", "")); err != nil {
		t.Fatal(err)
	}
	signature := g.sent[1].Header.Get("X-Ca-Signature")
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		got := fmt.Sprintf(verb, s) + fmt.Sprintf(verb, struct{ S *Signer }{s}) + fmt.Sprintf(verb, s.Learned())
		for _, secret := range []string{testSecret, "hidden", signature} {
			if strings.Contains(got, secret) {
				t.Errorf("%s shows it", verb)
			}
		}
	}
	if got := fmt.Sprintf("%v", (*Signer)(nil)); got != "<nil>" {
		t.Errorf("nil: got %q", got)
	}
}

func TestMaskedSecretIsRefused(t *testing.T) {
	var copied struct{ A Secret }
	text, err := json.Marshal(struct{ A Secret }{testSecret})
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(text, &copied); err != nil {
		t.Fatal(err)
	}
	s := testSigner()
	s.AppSecret = copied.A
	if err := s.Sign(newRequest(t, "GET", "https://api.example.com/", "")); err == nil ||
		!strings.Contains(err.Error(), "AppSecret") {
		t.Errorf("got %v, want an error about AppSecret", err)
	}
	var encoded bytes.Buffer
	if err := gob.NewEncoder(&encoded).Encode(struct{ A Secret }{testSecret}); err != nil {
		t.Fatal(err)
	}
	if err := gob.NewDecoder(&encoded).Decode(&copied); err != nil || copied.A != masked {
		t.Errorf("gob: got %d bytes, %v, want ***", len(copied.A), err)
	}
}

package signer

import (
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"
)

func TestSecretDoesNotShow(t *testing.T) {
	s := testSigner()
	s.AppCode = "appcode-value"
	shown := map[string]string{}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d"} {
		shown["signer "+verb] = fmt.Sprintf(verb, s)
		shown["secret "+verb] = fmt.Sprintf(verb, s.AppSecret)
		shown["slice "+verb] = fmt.Sprintf(verb, []Secret{s.AppSecret})
		shown["map "+verb] = fmt.Sprintf(verb, map[string]Secret{"a": s.AppSecret})
	}
	text, err := json.Marshal(struct{ A, B Secret }{s.AppSecret, s.AppCode})
	if err != nil {
		t.Fatal(err)
	}
	shown["json"] = string(text)
	var b strings.Builder
	slog.New(slog.NewJSONHandler(&b, nil)).Info("signer", "secret", s.AppSecret)
	slog.New(slog.NewTextHandler(&b, nil)).Info("signer", "secret", s.AppSecret)
	shown["slog"] = b.String()
	for how, text := range shown {
		for _, secret := range []string{testSecret, string(s.AppCode), fmt.Sprintf("%x", testSecret), fmt.Sprintf("%X", testSecret)} {
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

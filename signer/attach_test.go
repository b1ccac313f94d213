package signer

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
)

// The signer knows its parameters, so a value with an "&" is no riddle to it.
func TestRoundTripAttachesTheDiagnosis(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		text, ok := Verify(r, body, testSecret, Rules{})
		if r.URL.Query().Has("changed") {
			text, ok = strings.Replace(text, "u=a&z=b", "u=a&z=c", 1), false
		}
		if !ok {
			w.Header().Set("X-Ca-Error-Message", refusal(text))
			w.WriteHeader(http.StatusBadRequest)
		}
	}))
	defer server.Close()
	tests := []struct {
		name, path string
		secret     Secret
		part       Part
		of         string
		attached   bool
	}{
		{"accepted", "/?a=1", testSecret, PartNone, "", false},
		{"wrong secret", "/?a=1", "another", PartNone, "", true},
		{"ampersand in a value", "/?changed=1&u=a%26z%3Db", testSecret, PartParameter, "u", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := testSigner()
			s.AppSecret, s.Hosts = tt.secret, []string{server.Listener.Addr().String()}
			client := &http.Client{Transport: s}
			defer client.CloseIdleConnections()
			resp, err := client.PostForm(server.URL+tt.path, url.Values{"form": {"x"}})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			d, ok := FromResponse(resp)
			if ok != tt.attached {
				t.Fatalf("attached: got %v, want %v", ok, tt.attached)
			}
			if ok && (d.Part != tt.part || d.Name != tt.of) {
				t.Errorf("got %v, want %v %q", d, tt.part, tt.of)
			}
		})
	}
}

func TestFromResponseWithoutDiagnosis(t *testing.T) {
	for name, resp := range map[string]*http.Response{"nil": nil, "no request": {},
		"a request": {Request: &http.Request{}}} {
		if _, ok := FromResponse(resp); ok {
			t.Errorf("%s: got a diagnosis, want none", name)
		}
	}
}

// The reading that a refusal taught is part of the diagnosis.
func TestDiagnosisSaysWhatWasLearned(t *testing.T) {
	s := testSigner()
	s.Base = roundTripFunc(func(r *http.Request) (*http.Response, error) {
		text := strings.ReplaceAll(StringToSign(r, nil, Rules{DecodedPath: true, KeepSlashes: true}), "\n", "#")
		return answer{status: 400, message: "Invalid Signature, Server StringToSign:`" + text + "`"}.response(r), nil
	})
	resp, err := s.SendOnce(newRequest(t, "GET", "https://api.example.com/a%2Fb%20c", ""))
	if err != nil {
		t.Fatal(err)
	}
	d, ok := FromResponse(resp)
	if !ok || d.Findings[0].Code != "path-decoded-there" ||
		!strings.Contains(d.String(), "made of the decoded path, %2F and %5C kept") {
		t.Errorf("got %v, want the reading that was learned", d)
	}
}

func TestDiagnosisOfWithheldCredentials(t *testing.T) {
	for name, tt := range map[string]struct {
		answer answer
		want   bool
	}{
		"classic": {answer{status: 400, message: "Invalid AppKey"}, true},
		"VPC":     {answer{status: 403, code: "A403AK"}, true},
		"no text": {answer{status: 401}, true}, "another failure": {answer{status: 404}, false},
		"success": {answer{status: 200}, false},
	} {
		t.Run(name, func(t *testing.T) {
			s := testSigner()
			s.Base = &script{answers: []answer{tt.answer}}
			resp, err := s.RoundTrip(newRequest(t, "GET", "http://127.0.0.1:18080/", ""))
			if err != nil {
				t.Fatal(err)
			}
			d, ok := FromResponse(resp)
			if ok != tt.want {
				t.Fatalf("got %v, %v, want a diagnosis: %v", d, ok, tt.want)
			}
			if ok && d.String() != "no credentials were sent: host 127.0.0.1:18080 is not in Hosts" {
				t.Errorf("got %s", d)
			}
		})
	}
}

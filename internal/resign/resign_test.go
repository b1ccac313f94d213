package resign

import (
	"context"
	"errors"
	"io"
	"net/http"
	"testing"
)

func TestNoteOfAResponse(t *testing.T) {
	sent, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	own := sent.Clone(context.WithValue(t.Context(), key{}, &Note{Lesson: Clock}))
	tests := []struct {
		name string
		resp *http.Response
		want string // the lesson of the note; "none" for no note
	}{
		{"no response", nil, "none"},
		{"no request", &http.Response{}, "none"},
		{"no note", &http.Response{Request: sent}, "none"},
		{"a note", &http.Response{Request: own}, Clock},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := "none"
			if n := FromResponse(tt.resp); n != nil {
				got = n.Lesson
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestAttach(t *testing.T) {
	sent, err := http.NewRequestWithContext(t.Context(), "GET", "https://api.example.com/", nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, resp := range map[string]*http.Response{"without a request": {}, "with one": {Request: sent}} {
		t.Run(name, func(t *testing.T) {
			Attach(resp, sent, &Note{Learned: true})
			if n := FromResponse(resp); n == nil || !n.Learned {
				t.Errorf("got %v, want the note", n)
			}
			Attach(resp, sent, &Note{Withheld: "why"}) // the later one counts
			if n := FromResponse(resp); n == nil || n.Withheld != "why" {
				t.Errorf("got %v, want the second note", n)
			}
			if FromContext(sent.Context()) != nil {
				t.Error("the request that was sent has a note, want it unchanged")
			}
		})
	}
}

func TestWithRefused(t *testing.T) {
	refused := []Refusal{{Status: 400}}
	if WithRefused(nil, refused) != nil || WithRefused(io.EOF, nil) != io.EOF {
		t.Error("got another error, want nil and the cause itself")
	}
	err := WithRefused(io.EOF, refused)
	var e *Error
	if !errors.Is(err, io.EOF) || !errors.As(err, &e) || len(e.Refused) != 1 || err.Error() != "EOF" {
		t.Errorf("got %#v, want the cause with what was refused before", err)
	}
}

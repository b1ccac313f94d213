package main

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// fullDisk refuses every write.
type fullDisk struct{}

func (fullDisk) Write([]byte) (int, error) { return 0, errors.New("no space left on device") }

// A script must not take an empty file for success, nor a full disk here for a
// response that broke off there.
func TestOutputThatCannotBeWritten(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter,
		r *http.Request) {
		w.Write([]byte("body"))
	}))
	defer server.Close()
	for _, args := range [][]string{
		{"explain", "A403IP"},
		{"explain", "--json", "A403IP"},
		{"catalog", "--tsv"},
		{"call", server.URL},
		{"call", "--json", server.URL},
	} {
		t.Run(strings.Join(args[:len(args)-1], " "), func(t *testing.T) {
			var stderr bytes.Buffer
			code := run(context.Background(), args, strings.NewReader(""), fullDisk{}, &stderr,
				func(string) string { return "" })
			if code != exitFailure {
				t.Errorf("exit: got %d, want %d", code, exitFailure)
			}
			if want := "cannot write the output: no space left on device"; !strings.Contains(stderr.String(), want) {
				t.Errorf("got %q, want %q in it", stderr.String(), want)
			}
			if strings.Contains(stderr.String(), "broke off") {
				t.Errorf("got %q, want no blame on the response", stderr.String())
			}
		})
	}
}

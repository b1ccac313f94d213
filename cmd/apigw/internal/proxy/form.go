package proxy

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// readForm reads a form into memory, since its parameters are signed, and makes
// it readable again. Every other body streams.
func readForm(r *http.Request, limit int64) error {
	if r.Body == nil || r.Body == http.NoBody ||
		!strings.HasPrefix(strings.ToLower(r.Header.Get("Content-Type")), "application/x-www-form-urlencoded") {
		return nil
	}
	data, err := io.ReadAll(http.MaxBytesReader(nil, r.Body, limit))
	if err != nil {
		return err
	}
	r.ContentLength = int64(len(data))
	r.TransferEncoding = nil
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(data)), nil }
	r.Body, _ = r.GetBody()
	return nil
}

func tooLongForm(limit int64) problem {
	return problem{
		Status: http.StatusRequestEntityTooLarge, Title: "the form is too long", Reached: "no",
		Detail: fmt.Sprintf("a form is read into memory to sign its parameters, at most %d bytes of it; send the "+
			"data as JSON, or start the proxy with a larger --form-limit", limit),
	}
}

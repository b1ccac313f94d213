package proxy

import (
	"io"
	"net/http"
	"strings"
)

// The headers X-Apigw-* are this proxy's. An upstream that sends them could say
// that a call did not run, so they are taken out wherever they can stand: in the
// head, in an interim answer and in a trailer.

func dropOwn(h http.Header) {
	for name := range h {
		if strings.HasPrefix(http.CanonicalHeaderKey(name), "X-Apigw-") {
			delete(h, name)
		}
	}
}

// interimWriter takes them out of interim answers, such as 103.
type interimWriter struct{ http.ResponseWriter }

func (w interimWriter) WriteHeader(status int) {
	if status < 200 && status != http.StatusSwitchingProtocols {
		dropOwn(w.Header())
	}
	w.ResponseWriter.WriteHeader(status)
}

// Unwrap lets http.ResponseController flush and hijack.
func (w interimWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// trailerBody takes them out of the trailer, which is known at the end of the
// body.
type trailerBody struct {
	io.ReadCloser
	resp *http.Response
}

func (b *trailerBody) Close() error {
	err := b.ReadCloser.Close()
	dropOwn(b.resp.Trailer)
	return err
}

// dropOwnOf takes them out of a response.
func dropOwnOf(resp *http.Response) {
	dropOwn(resp.Header)
	dropOwn(resp.Trailer)
	if resp.ContentLength < 0 && resp.StatusCode != http.StatusSwitchingProtocols {
		resp.Body = &trailerBody{resp.Body, resp}
	}
}

package signer

import (
	"bytes"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
)

// maxFormBuffer bounds what is kept in memory of a form that cannot be read
// twice. Forms that need more can be given a GetBody.
const maxFormBuffer = 1 << 20

func hasBody(req *http.Request) bool { return req.Body != nil && req.Body != http.NoBody }

func replayable(req *http.Request) bool { return !hasBody(req) || req.GetBody != nil }

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}

// prepareBody returns the encoded form of a request that has one, and sets
// Content-MD5 where the body is something else and can be read twice. A
// Content-MD5 that the caller set stays, but for an empty body, where the
// gateway refuses any.
func prepareBody(req *http.Request) (form []byte, err error) {
	if !hasBody(req) {
		remove(req.Header, "Content-Md5")
		return nil, nil
	}
	contentType, _ := lookup(req.Header, "Content-Type")
	contentType = trim(contentType)
	switch {
	case isForm(contentType):
		return readForm(req)
	case hasPrefixFold(contentType, "multipart/"), req.GetBody == nil:
		return nil, nil
	}
	return nil, setContentMD5(req)
}

func setContentMD5(req *http.Request) error {
	body, err := req.GetBody()
	if err != nil {
		return unreadable(err)
	}
	defer body.Close()
	if _, n := lookup(req.Header, "Content-Md5"); n > 0 {
		if n, err := io.ReadFull(body, make([]byte, 1)); n == 0 && err == io.EOF {
			remove(req.Header, "Content-Md5")
		}
		return nil
	}
	digest := md5.New()
	n, err := io.Copy(digest, body)
	if err != nil {
		return unreadable(err)
	}
	if n > 0 {
		req.Header["Content-Md5"] = []string{base64.StdEncoding.EncodeToString(digest.Sum(nil))}
	}
	return nil
}

// readForm reads the form of a request and leaves the request with a body that
// is still to be read.
func readForm(req *http.Request) ([]byte, error) {
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return nil, unreadable(err)
		}
		defer body.Close()
		form, err := io.ReadAll(body)
		if err != nil {
			return nil, unreadable(err)
		}
		return form, nil
	}

	form, err := io.ReadAll(io.LimitReader(req.Body, maxFormBuffer+1))
	if err != nil {
		return nil, unreadable(err)
	}
	if len(form) > maxFormBuffer {
		return nil, refused(fmt.Sprintf("the form is longer than %d bytes and can be read only once, "+
			"but its parameters are signed; set Request.GetBody", maxFormBuffer))
	}
	req.Body.Close()
	req.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(form)), nil }
	req.Body, _ = req.GetBody()
	if req.ContentLength <= 0 {
		req.ContentLength = int64(len(form)) // it was unknown
		if len(form) == 0 {
			req.Body = http.NoBody
		}
	}
	return form, nil
}

func unreadable(err error) error {
	return &Error{Reason: "cannot read the body to sign it", Err: err}
}

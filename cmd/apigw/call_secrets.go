package main

import (
	"net/http"

	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/signer"
)

// maskerOf knows what must not be shown of a request and its surroundings: every
// value that it carries, and the secrets of the environment.
func (in *invocation) maskerOf(req *http.Request, body []byte, s *signer.Signer) *redact.Masker {
	secrets := redact.Of(req)
	secrets.AddBodyText(req.Header, body)
	secrets.Add(in.env("APIGW_APP_SECRET"), in.env("APIGW_APP_CODE"))
	if s != nil {
		secrets.Add(string(s.AppSecret), string(s.AppCode)) // of a file
	}
	return secrets.Masker()
}

// mostMasked bounds a text of a server that is shown.
const mostMasked = 4096

// mask makes a text from the wire fit for one line of a terminal: without what
// the request carried, without queries and strings to sign.
func (c *caller) mask(s string) string { return c.masker.Text(s, mostMasked) }

// maskErr is mask for an error.
func (c *caller) maskErr(err error) string { return c.masker.Err(err, mostMasked) }

// masked takes out of an explanation what the request may have carried. The
// string to sign is made of its values and goes as a whole; the diagnosis of
// the signer names the difference without them.
func (c *caller) masked(x explanation) explanation {
	for name, value := range x.Params {
		if name == "StringToSign" {
			x.Params[name] = redact.Mask
			continue
		}
		x.Params[name] = c.mask(value)
	}
	x.Code, x.RequestID = c.mask(x.Code), c.masker.RequestID(x.RequestID)
	return x
}

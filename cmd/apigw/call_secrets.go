package main

import (
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/signer"
)

// secretsOf knows what must not be shown of a request and its surroundings: every
// value that it carries, and the secrets of the environment.
func (in *invocation) secretsOf(req *http.Request, body []byte, s *signer.Signer) redact.Secrets {
	secrets := redact.Of(req)
	secrets.AddBodyText(req.Header, body)
	secrets.Add(in.env("APIGW_APP_SECRET"), in.env("APIGW_APP_CODE"))
	if s != nil {
		secrets.Add(string(s.AppSecret), string(s.AppCode)) // of a file
	}
	return secrets
}

// masker takes out of what is shown all that a call carried. It learns while the
// call goes on: a signature is made for each sending.
type masker struct {
	mu      sync.Mutex
	secrets redact.Secrets
	atomic.Pointer[redact.Masker]
}

func (m *masker) learn(add func(*redact.Secrets)) {
	m.mu.Lock()
	defer m.mu.Unlock()
	add(&m.secrets)
	m.Store(m.secrets.Masker())
}

// noting is a base that notes what it sends, below the signer.
type noting struct {
	c    *caller
	base http.RoundTripper
}

func (n noting) RoundTrip(req *http.Request) (*http.Response, error) {
	n.c.masker.learn(func(s *redact.Secrets) { s.AddRequest(req) })
	return n.base.RoundTrip(req)
}

// SendsThrough tells the Transport whose errors it gets.
func (n noting) SendsThrough() http.RoundTripper { return n.base }

// mostMasked bounds a text of a server that is shown.
const mostMasked = 4096

// mask makes a text from the wire fit for one line of a terminal: without what
// the request carried, without queries and strings to sign.
func (c *caller) mask(s string) string { return c.masker.Load().Text(s, mostMasked) }

// maskErr is mask for an error.
func (c *caller) maskErr(err error) string { return c.masker.Load().Err(err, mostMasked) }

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
	x.Code, x.RequestID = c.mask(x.Code), c.masker.Load().RequestID(x.RequestID)
	return x
}

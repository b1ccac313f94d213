package gatewaytest

import (
	"crypto/md5"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// validity is how far a timestamp may be off either way, and how long a nonce
// counts as used (help page 29475).
const validity = 15 * time.Minute

// authenticate finds out whose request it is. The order of the checks on the
// real gateway is not documented.
func (c *call) authenticate() *refusal {
	auth := AuthApp
	if c.route != nil {
		auth = c.route.Auth
	}
	if auth == AuthNone || c.g.Dialect == catalog.GenerationFC {
		return nil
	}
	if c.isNewer() {
		if c.route == nil {
			return nil // Envoy routes before a plug-in sees a request
		}
		return c.authenticateByPlugin()
	}
	code, hasCode := c.appCode()
	signed := c.r.Header.Get("X-Ca-Key") != "" || c.r.Header.Get("X-Ca-Signature") != ""
	switch {
	case c.route == nil && !signed && !hasCode:
		return nil // there is no API here that could want something
	case auth == AuthAppCode || auth == AuthApp && hasCode && !signed:
		return c.checkAppCode(code)
	}
	return c.checkSignature()
}

// appCode returns what follows the word APPCODE, in any letter case, in
// Authorization, else the query parameter.
func (c *call) appCode() (code string, ok bool) {
	scheme, code, _ := strings.Cut(c.r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, "APPCODE") {
		return strings.TrimLeft(code, " "), true
	}
	if c.state.codeParam == "" || c.r.URL.RawQuery == "" {
		return "", false
	}
	values, ok := c.r.URL.Query()[c.state.codeParam]
	return strings.Join(values[:min(len(values), 1)], ""), ok
}

func (c *call) checkAppCode(code string) *refusal {
	found := c.appOfCode(code)
	if found == nil {
		return refuse(c.g.Dialect, appCodeUnknown)
	}
	c.app = found
	return nil
}

// checkSignature goes through key, signature, timestamp, nonce, Content-MD5
// and the signature itself.
func (c *call) checkSignature() *refusal {
	h := c.r.Header
	key := strings.TrimSpace(h.Get("X-Ca-Key"))
	app := c.appOf(key)
	switch {
	case key == "":
		return c.refuse(keyMissing, "HeaderName", "X-Ca-Key")
	case app == nil:
		return c.refuse(keyUnknown)
	case h.Get("X-Ca-Signature") == "":
		return c.refuse(signatureMissing, "HeaderName", "X-Ca-Signature")
	}
	if ref := c.checkTimestamp(); ref != nil {
		return ref
	}
	now, nonce, readings := c.g.now(), h.Get("X-Ca-Nonce"), c.g.readings()
	switch {
	case nonce != "" && c.state.nonces.used(key, nonce, now, validity):
		return c.refuse(nonceUsed)
	case c.tooLarge && isForm(h, readings[0].Headers):
		return c.refuse(bodyTooLarge) // the string to sign is not known
	case !c.tooLarge && !md5Matches(h, c.body):
		return c.refuse(md5Mismatch, "Reason", "does not match the body")
	}
	if text, ok := verify(newSignedRequest(c.r, c.body), app.AppSecret, readings); !ok {
		return c.refuse(signatureMismatch, "StringToSign", text)
	}
	// Only now: an attacker cannot use nonces up. Of two copies that got here
	// at once, one is too late.
	if nonce != "" && !c.state.nonces.use(key, nonce, now, validity) {
		return c.refuse(nonceUsed)
	}
	c.app = app
	return nil
}

// checkTimestamp accepts a request without a timestamp: it is optional.
func (c *call) checkTimestamp() *refusal {
	stamp := strings.TrimSpace(c.r.Header.Get("X-Ca-Timestamp"))
	if stamp == "" {
		return nil
	}
	n, err := strconv.ParseInt(stamp, 10, 64)
	if err != nil || n < 0 {
		return c.refuse(timestampMalformed, "HeaderName", "X-Ca-Timestamp", "Reason", "is not a number of milliseconds")
	}
	if off := c.g.now().Sub(time.UnixMilli(n)); off > validity || off < -validity {
		return c.refuse(timestampExpired)
	}
	return nil
}

// md5Matches reports whether Content-MD5, if it was sent, is the digest of
// the body. With an empty body it must not be sent.
func md5Matches(h http.Header, body []byte) bool {
	got := strings.TrimSpace(h.Get("Content-Md5"))
	if got == "" {
		return true
	}
	sum := md5.Sum(body)
	return len(body) > 0 && got == base64.StdEncoding.EncodeToString(sum[:])
}

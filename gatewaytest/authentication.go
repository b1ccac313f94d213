package gatewaytest

import (
	"crypto/md5"
	"crypto/subtle"
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
	if auth == AuthNone {
		return nil
	}
	code, hasCode := c.appCode()
	signed := c.r.Header.Get("X-Ca-Key") != "" || c.r.Header.Get("X-Ca-Signature") != ""
	higress := c.g.Dialect == catalog.GenerationHigress
	switch {
	case c.route == nil && !signed && !hasCode:
		return nil // there is no API here that could want something
	case !higress && (auth == AuthAppCode || auth == AuthApp && hasCode && !signed):
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
	var found *App
	for i := range c.state.apps {
		app := &c.state.apps[i]
		// All of them are compared, each in constant time.
		if app.AppCode != "" && subtle.ConstantTimeCompare([]byte(app.AppCode), []byte(code)) == 1 {
			found = app
		}
	}
	if found == nil {
		return refuse(c.g.Dialect, appCodeUnknown)
	}
	c.app = found
	return nil
}

// checkSignature goes through key, signature, timestamp, nonce, Content-MD5
// and the signature itself.
func (c *call) checkSignature() *refusal {
	dialect, h := c.g.Dialect, c.r.Header
	key := strings.TrimSpace(h.Get("X-Ca-Key"))
	if key == "" {
		return refuse(dialect, keyMissing, "HeaderName", "X-Ca-Key")
	}
	var app *App
	for i := range c.state.apps {
		if c.state.apps[i].AppKey == key {
			app = &c.state.apps[i]
		}
	}
	if app == nil {
		return refuse(dialect, keyUnknown)
	}
	if h.Get("X-Ca-Signature") == "" {
		return refuse(dialect, signatureMissing, "HeaderName", "X-Ca-Signature")
	}
	now := c.g.now()
	if ref := checkTimestamp(dialect, h, now); ref != nil {
		return ref
	}
	nonce := h.Get("X-Ca-Nonce")
	if dialect == catalog.GenerationHigress {
		nonce = "" // it does not look at one
	}
	if nonce != "" && c.state.nonces.used(key, nonce, now) {
		return refuse(dialect, nonceUsed)
	}
	readings := c.g.readings()
	if c.tooLarge && isForm(h, readings[0].Headers) {
		return refuse(dialect, bodyTooLarge) // the string to sign is not known
	}
	if !c.tooLarge && !md5Matches(h, c.body) {
		return refuse(dialect, md5Mismatch, "Reason", "does not match the body")
	}
	text, ok := verify(newSignedRequest(c.r, c.body), app.AppSecret, readings)
	if !ok {
		return refuse(dialect, signatureMismatch, "StringToSign", text)
	}
	// Only now: an attacker cannot use nonces up. Of two copies that got here
	// at once, one is too late.
	if nonce != "" && !c.state.nonces.use(key, nonce, now) {
		return refuse(dialect, nonceUsed)
	}
	c.app = app
	return nil
}

// checkTimestamp accepts a request without a timestamp: it is optional.
func checkTimestamp(dialect catalog.Generation, h http.Header, now time.Time) *refusal {
	stamp := strings.TrimSpace(h.Get("X-Ca-Timestamp"))
	var at time.Time
	switch date := h.Get("Date"); {
	case dialect == catalog.GenerationHigress && date != "":
		// The form with an offset is the one of the documentation's example.
		var err error
		if at, err = http.ParseTime(strings.TrimSuffix(date, "+00:00")); err != nil {
			return refuse(dialect, timestampMalformed)
		}
	case stamp == "":
		return nil
	default:
		n, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil || n < 0 {
			return refuse(dialect, timestampMalformed, "HeaderName", "X-Ca-Timestamp", "Reason", "is not a number of milliseconds")
		}
		at = time.UnixMilli(n)
		if dialect == catalog.GenerationHigress && len(stamp) < 13 {
			at = time.Unix(n, 0)
		}
	}
	if off := now.Sub(at); off > validity || off < -validity {
		return refuse(dialect, timestampExpired)
	}
	return nil
}

// md5Matches reports whether Content-MD5, where it was sent, is the digest of
// the body. With an empty body it must not be sent.
func md5Matches(h http.Header, body []byte) bool {
	got := strings.TrimSpace(h.Get("Content-Md5"))
	if got == "" {
		return true
	}
	sum := md5.Sum(body)
	return len(body) > 0 && got == base64.StdEncoding.EncodeToString(sum[:])
}

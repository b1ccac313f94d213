package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// authenticateByPlugin does what the plug-in for authentication does. All of
// them find the application out, and whether it may call, before anything else.
func (c *call) authenticateByPlugin() *refusal {
	switch c.g.Plugins.Auth {
	case KeyAuth:
		return c.checkAPIKey()
	case JWTAuth:
		return c.checkJWT()
	case BasicAuth:
		return c.checkBasic()
	}
	return c.checkHmac()
}

// checkHmac goes through the checks of hmac-auth in its order. The body of a
// request that is no form arrives after the signature was checked.
func (c *call) checkHmac() *refusal {
	h := c.r.Header
	app := c.appOf(h.Get("X-Ca-Key"))
	readings := c.g.readings()
	form := isForm(h, readings[0].Headers) && (len(c.body) > 0 || c.tooLarge)
	switch {
	case app == nil:
		return c.refuse(keyUnknown)
	case !app.mayCall(c.route):
		return c.refuse(appUnauthorized)
	case form && c.tooLarge:
		return c.refuse(bodyTooLarge)
	case form && !md5Matches(h, c.body):
		return c.refuse(md5Mismatch)
	case h.Get("X-Ca-Signature") == "":
		return c.refuse(signatureMissing)
	case !c.dateInOffset():
		return c.refuse(timestampExpired)
	}
	if text, ok := verify(newSignedRequest(c.r, c.body), app.AppSecret, readings); !ok {
		return c.refuse(signatureMismatch, "StringToSign", text)
	}
	if !c.tooLarge && !md5Matches(h, c.body) {
		return c.refuse(md5Mismatch)
	}
	c.app = app
	return nil
}

// dateInOffset checks Date or, without one, X-Ca-Timestamp, if the plug-in is
// configured to. A timestamp of fewer than 13 digits counts seconds.
func (c *call) dateInOffset() bool {
	offset := c.g.Plugins.DateOffset
	if offset <= 0 {
		return true
	}
	var at time.Time
	if date := c.r.Header.Get("Date"); date != "" {
		var err error
		// The form with an offset is that of the documentation's example.
		if at, err = http.ParseTime(strings.TrimSuffix(date, "+00:00")); err != nil {
			return false
		}
	} else {
		stamp := strings.TrimSpace(c.r.Header.Get("X-Ca-Timestamp"))
		n, err := strconv.ParseInt(stamp, 10, 64)
		if err != nil {
			return false
		}
		at = time.UnixMilli(n)
		if len(stamp) < 13 {
			at = time.Unix(n, 0)
		}
	}
	off := c.g.now().Sub(at)
	return off <= offset && off >= -offset
}

// appOf returns the application of an AppKey, nil if there is none.
func (c *call) appOf(key string) *App {
	for i := range c.state.apps {
		if c.state.apps[i].AppKey == key && key != "" {
			return &c.state.apps[i]
		}
	}
	return nil
}

// appOfCode returns the application of an AppCode. All codes are compared, each
// in constant time.
func (c *call) appOfCode(code string) (found *App) {
	for i := range c.state.apps {
		app := &c.state.apps[i]
		if app.AppCode != "" && subtle.ConstantTimeCompare([]byte(app.AppCode), []byte(code)) == 1 {
			found = app
		}
	}
	return found
}

// admit is the end of an authentication by a plug-in that refuses unknown
// callers and those who may not call in one way.
func (c *call) admit(app *App, unauthorized reason) *refusal {
	if app == nil || !app.mayCall(c.route) {
		return c.refuse(unauthorized)
	}
	c.app = app
	return nil
}

var defaultKeyNames = []string{"x-api-key"}

func (c *call) checkAPIKey() *refusal {
	names := c.g.Plugins.KeyNames
	if names == nil {
		names = defaultKeyNames
	}
	query := c.r.URL.Query()
	var keys []string
	for _, name := range names {
		for _, v := range append(c.r.Header.Values(name), query[name]...) {
			keys = append(keys, strings.TrimPrefix(v, "Bearer "))
		}
	}
	switch len(keys) {
	case 0:
		return c.refuse(apiKeyMissing)
	case 1:
		return c.admit(c.appOfCode(keys[0]), apiKeyUnauthorized)
	}
	return c.refuse(apiKeyAmbiguous)
}

func (c *call) checkBasic() *refusal {
	user, password, ok := c.r.BasicAuth()
	app := c.appOf(user)
	switch {
	case !ok:
		return c.refuse(basicMissing)
	case app == nil || subtle.ConstantTimeCompare([]byte(app.AppSecret), []byte(password)) != 1:
		return c.refuse(basicInvalid)
	}
	return c.admit(app, basicUnauthorized)
}

// checkJWT wants a token signed with HS256. Whatever is wrong with the times in
// it counts as expired.
func (c *call) checkJWT() *refusal {
	token, ok := strings.CutPrefix(c.r.Header.Get("Authorization"), "Bearer ")
	if !ok || token == "" {
		return c.refuse(jwtMissing)
	}
	claims, ok := c.verifiedClaims(token)
	if !ok {
		return c.refuse(jwtInvalid)
	}
	const grace = time.Minute
	now := c.g.now()
	if claims.ExpiresAt != nil && now.After(unixTime(*claims.ExpiresAt).Add(grace)) ||
		claims.NotBefore != nil && now.Before(unixTime(*claims.NotBefore).Add(-grace)) {
		return c.refuse(jwtExpired)
	}
	return c.admit(c.appOf(claims.Issuer), jwtUnauthorized)
}

type jwtClaims struct {
	Issuer    string   `json:"iss"`
	ExpiresAt *float64 `json:"exp"`
	NotBefore *float64 `json:"nbf"`
}

func unixTime(seconds float64) time.Time {
	const farAway = 1 << 40 // where a float still counts seconds, and a time does not overflow
	return time.Unix(int64(max(-farAway, min(farAway, seconds))), 0)
}

// verifiedClaims returns what a token says whose signature is right.
func (c *call) verifiedClaims(token string) (claims jwtClaims, ok bool) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return claims, false
	}
	var head struct {
		Algorithm string `json:"alg"`
	}
	if !decodePart(parts[0], &head) || head.Algorithm != "HS256" || !decodePart(parts[1], &claims) {
		return claims, false
	}
	app := c.appOf(claims.Issuer)
	given, err := base64.RawURLEncoding.DecodeString(parts[2])
	if app == nil || err != nil {
		return claims, false
	}
	mac := hmac.New(sha256.New, []byte(app.AppSecret))
	mac.Write([]byte(parts[0] + "." + parts[1]))
	return claims, hmac.Equal(given, mac.Sum(nil))
}

func decodePart(part string, to any) bool {
	data, err := base64.RawURLEncoding.DecodeString(part)
	return err == nil && json.Unmarshal(data, to) == nil
}

package gatewaytest

import (
	"fmt"
	"slices"
	"time"

	"github.com/apigw-go/apigw/catalog"
)

// Plugins are the plug-ins of a gateway of the newer generation (Higress, the
// cloud-native and the AI gateway). Other dialects do not look at them. The zero
// value is hmac-auth as it is without further configuration.
type Plugins struct {
	// Auth authenticates the callers of routes with AuthApp, AuthSignature
	// and AuthAppCode.
	Auth AuthPlugin
	// DateOffset is the date_offset of hmac-auth: how far Date or, if that is
	// not sent, X-Ca-Timestamp may be off. If 0, neither is looked at.
	DateOffset time.Duration
	// KeyNames are the headers and query parameters in which key-auth looks
	// for the AppCode of an application. If nil, "x-api-key".
	KeyNames []string
	// Replay is the plug-in replay-protection. If nil, there is none, and a
	// nonce may come again: hmac-auth does not look at one.
	Replay *ReplayProtection
	// Throttled is the ID of the catalog row that limits answer with, such as
	// "envoy.local-rate-limited", "higress.rate-limited",
	// "higress-ai.too-many-tokens" or "apig-cloud-native.throttled". If empty,
	// that of the dialect; of Higress it is the one of cluster-key-rate-limit.
	Throttled string
	// ShowQuota adds X-RateLimit-Limit and X-RateLimit-Remaining, as the
	// option show_limit_quota_header does.
	ShowQuota bool
	// NoEnvoyHeaders keeps X-Envoy-Upstream-Service-Time away from the answers
	// of backends, as some installations do.
	NoEnvoyHeaders bool
}

// AuthPlugin is how a gateway of the newer generation authenticates.
type AuthPlugin uint8

const (
	// HmacAuth takes the signature of an AppKey and AppSecret.
	HmacAuth AuthPlugin = iota
	// KeyAuth takes the AppCode as an API key.
	KeyAuth
	// JWTAuth takes a bearer token whose issuer is an AppKey, signed (HS256)
	// with its AppSecret, that has not expired, with a minute's grace.
	JWTAuth
	// BasicAuth takes AppKey and AppSecret as user name and password.
	BasicAuth
)

var authPluginNames = [...]string{"hmac-auth", "key-auth", "jwt-auth", "basic-auth"}

func (p AuthPlugin) String() string {
	if int(p) < len(authPluginNames) {
		return authPluginNames[p]
	}
	return fmt.Sprintf("AuthPlugin(%d)", uint8(p))
}

// ParseAuthPlugin returns the plug-in of that name: hmac-auth, key-auth,
// jwt-auth, basic-auth; false if there is none.
func ParseAuthPlugin(name string) (AuthPlugin, bool) {
	i := slices.Index(authPluginNames[:], name)
	return AuthPlugin(max(i, 0)), i >= 0
}

// ReplayProtection is the plug-in of that name. It runs before the credentials
// are looked at, and its nonces belong to no application.
type ReplayProtection struct {
	// Header carries the nonce. If empty, X-Higress-Nonce.
	Header string
	// Optional lets requests without a nonce pass.
	Optional bool
	// TTL is how long a nonce counts as used. If 0, 15 minutes.
	TTL time.Duration
	// MinLength and MaxLength bound the nonce. If 0, 8 and 128.
	MinLength, MaxLength int
	// Base64 wants a nonce in base64.
	Base64 bool
}

// check finds what cannot be used.
func (p *Plugins) check() error {
	if p.Throttled != "" {
		if _, ok := catalog.ByID(p.Throttled); !ok {
			return fmt.Errorf("plug-ins: no row %q in the catalog to throttle with", p.Throttled)
		}
	}
	if int(p.Auth) >= len(authPluginNames) {
		return fmt.Errorf("plug-ins: there is no %v", p.Auth)
	}
	return nil
}

package gatewaytest

import (
	"cmp"
	"encoding/base64"
	"time"
)

// checkReplay does what the plug-in replay-protection does.
func (c *call) checkReplay() *refusal {
	p := c.g.Plugins.Replay
	if p == nil || !c.isNewer() {
		return nil
	}
	nonce := c.r.Header.Get(cmp.Or(p.Header, "X-Higress-Nonce"))
	switch {
	case nonce == "" && p.Optional:
		return nil
	case nonce == "":
		return c.refuse(nonceMissing)
	case !p.takes(nonce):
		return c.refuse(nonceInvalid)
	case !c.state.nonces.use("", nonce, c.g.now(), cmp.Or(p.TTL, 15*time.Minute)):
		return c.refuse(nonceUsed)
	}
	return nil
}

func (p *ReplayProtection) takes(nonce string) bool {
	if len(nonce) < cmp.Or(p.MinLength, 8) || len(nonce) > cmp.Or(p.MaxLength, 128) {
		return false
	}
	if p.Base64 {
		_, err := base64.StdEncoding.DecodeString(nonce)
		return err == nil
	}
	return true
}

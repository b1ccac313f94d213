package apigw

import (
	"net/http"
	"net/url"
	"strings"
)

// secretsOf lists the credentials of a request, as sent by the caller and as
// sent by what lies below, for masking them in a text that repeats them.
func secretsOf(req *http.Request, resp *http.Response) (secrets []string) {
	for _, r := range []*http.Request{req, resp.Request} {
		if r == nil {
			continue
		}
		for name, values := range r.Header {
			switch http.CanonicalHeaderKey(name) {
			case "Authorization", "Proxy-Authorization", "X-Ca-Signature":
				for _, v := range values {
					_, credentials, _ := strings.Cut(v, " ")
					secrets = append(secrets, v, credentials)
				}
			case "Cookie":
				for pair := range strings.SplitSeq(strings.Join(values, ";"), ";") {
					_, value, _ := strings.Cut(pair, "=")
					secrets = append(secrets, value)
				}
			}
		}
		if r.URL != nil && r.URL.RawQuery != "" {
			secrets = append(secrets, r.URL.RawQuery)
			for pair := range strings.SplitSeq(r.URL.RawQuery, "&") {
				_, value, _ := strings.Cut(pair, "=")
				plain, _ := url.QueryUnescape(value)
				secrets = append(secrets, value, plain)
			}
		}
	}
	return secrets
}

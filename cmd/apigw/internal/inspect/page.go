package inspect

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"embed"
	"encoding/hex"
	"encoding/json"
	"io/fs"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/apigw-go/apigw/cmd/apigw/internal/proxy"
)

//go:embed static
var static embed.FS

// Handler serves the page, its data, the metrics and the health.
func (i *Inspector) Handler() http.Handler {
	files, _ := fs.Sub(static, "static") // the folder is embedded
	page := http.FileServerFS(files)
	mux := http.NewServeMux()
	mux.Handle("GET /{$}", i.needsToken(page))
	for _, name := range []string{"app.js", "texts.js", "draw.js", "detail.js", "copy.js", "style.css"} {
		mux.Handle("GET /"+name, i.needsToken(page))
	}
	mux.Handle("GET /api/config", i.needsToken(http.HandlerFunc(i.serveConfig)))
	mux.Handle("GET /api/events", i.needsToken(http.HandlerFunc(i.serveEvents)))
	mux.Handle("GET /api/calls/{id}", i.needsToken(http.HandlerFunc(i.serveCall)))
	mux.Handle("POST /api/calls/{id}/replay", i.needsToken(http.HandlerFunc(i.serveReplay)))
	metrics := http.Handler(http.HandlerFunc(i.serveMetrics))
	if i.Remote {
		metrics = i.needsToken(metrics)
	}
	mux.Handle("GET /metrics", metrics)
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { w.Write([]byte("ok\n")) })
	return headers(mux)
}

// headers are those of every answer. The policy permits what the page brings
// along and nothing else, so that a text from the network could do no harm even
// if it were taken for markup.
func headers(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h := w.Header()
		h.Set("Content-Security-Policy",
			"default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "+
				"base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
		h.Set("X-Content-Type-Options", "nosniff")
		h.Set("Referrer-Policy", "no-referrer")
		h.Set("Cross-Origin-Opener-Policy", "same-origin")
		h.Set("Cross-Origin-Resource-Policy", "same-origin")
		h.Set("Cache-Control", "no-store")
		next.ServeHTTP(w, r)
	})
}

// needsToken lets in who has the token: as the start line gives it, which sets a
// cookie, in that cookie, or in a header.
func (i *Inspector) needsToken(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if token := r.URL.Query().Get("token"); token != "" && i.Token != "" && r.URL.Path == "/" &&
			isEqual(token, i.Token) {
			http.SetCookie(w, &http.Cookie{
				Name: i.cookieName(r), Value: i.session(), Path: "/", HttpOnly: true, SameSite: http.SameSiteStrictMode,
			})
			http.Redirect(w, r, "/", http.StatusSeeOther) // out of the address bar
			return
		}
		if !i.isKnown(r) {
			http.Error(w, "open the address with the token that the start line of the proxy names\n"+
				"请使用代理启动时输出的带 token 的地址\n", http.StatusUnauthorized)
			return
		}
		next.ServeHTTP(w, r)
	})
}

func (i *Inspector) isKnown(r *http.Request) bool {
	if i.Token == "" {
		return false // not everybody
	}
	if c, err := r.Cookie(i.cookieName(r)); err == nil && isEqual(c.Value, i.session()) {
		return true
	}
	bearer, _ := strings.CutPrefix(r.Header.Get("Authorization"), "Bearer ")
	return isEqual(bearer, i.Token) || isEqual(r.Header.Get(proxy.HeaderToken), i.Token)
}

// cookieName has the port, since cookies do not tell ports apart.
func (i *Inspector) cookieName(r *http.Request) string {
	_, port, _ := net.SplitHostPort(r.Host)
	return "apigw_inspect_" + port
}

// session is what the cookie holds: not the token itself.
func (i *Inspector) session() string {
	mac := hmac.New(sha256.New, []byte(i.Token))
	mac.Write([]byte("apigw inspect"))
	return hex.EncodeToString(mac.Sum(nil))
}

func isEqual(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

func (i *Inspector) serveConfig(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, map[string]any{
		"upstream": i.Upstream, "proxy": i.Proxy, "bodies": i.Bodies, "language": i.Language, "max_calls": maxEntries,
	})
}

func (i *Inspector) serveCall(w http.ResponseWriter, r *http.Request) {
	e := i.entry(r)
	if e == nil {
		writeJSON(w, http.StatusNotFound, map[string]string{"error": "this call is no longer kept"})
		return
	}
	writeJSON(w, http.StatusOK, e.detail(i.explain))
}

// entry returns the call that the path names, nil if it is not kept.
func (i *Inspector) entry(r *http.Request) *entry {
	id, err := strconv.ParseUint(r.PathValue("id"), 10, 64)
	if err != nil {
		return nil
	}
	return i.ring.find(id)
}

func writeJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(v)
}

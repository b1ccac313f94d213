package roundtrippertest

import (
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"strings"
)

// clientChecks are about the http.Client above: redirects and cookies are its.
var clientChecks = []Check{
	{Name: "redirect returned, not followed", run: redirectReturned},
	{Name: "http.Client: 307 with a body", run: clientRedirect},
	{Name: "http.Client: cookies", run: clientCookies},
}

// redirectReturned: "RoundTrip should not attempt to handle higher-level
// protocol details such as redirects, authentication, or cookies".
func redirectReturned(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/other", http.StatusFound)
		}
	})
	status, _, err := e.get(base, e.request(http.MethodGet, s.URL+"/", nil))
	if err != nil {
		return err
	}
	return want("status", status, 302)
}

// clientRedirect: http.Client sends the body again, by the GetBody of the
// request that it gave away before.
func clientRedirect(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/other", http.StatusTemporaryRedirect)
			return
		}
		w.Write(body)
	})
	c := &http.Client{Transport: e.wrap(base)}
	resp, err := c.Do(e.request(http.MethodPost, s.URL+"/", strings.NewReader("body")))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return errors.Join(err, want("body at the target", string(got), "body"))
}

// clientCookies: the jar of http.Client sees only the responses that come up.
func clientCookies(e *env) error {
	s, base := e.server(func(w http.ResponseWriter, r *http.Request) {
		if c, err := r.Cookie("a"); err == nil {
			io.WriteString(w, c.Value)
			return
		}
		http.SetCookie(w, &http.Cookie{Name: "a", Value: "1"})
		http.Redirect(w, r, "/other", http.StatusFound)
	})
	jar, err := cookiejar.New(nil)
	if err != nil {
		return err
	}
	c := &http.Client{Transport: e.wrap(base), Jar: jar}
	resp, err := c.Do(e.request(http.MethodGet, s.URL+"/", nil))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	return errors.Join(err, want("cookie at the target", string(got), "1"))
}

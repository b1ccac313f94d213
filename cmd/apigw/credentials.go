package main

import (
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/netip"
	"os"
	"strings"

	"github.com/apigw-go/apigw/signer"
)

// credentials say who calls. Secrets never come from the value of a flag.
type credentials struct {
	key        string
	appCode    bool
	secretFile string
}

// keyFlags defines the flags of a signature.
func keyFlags(fs *flag.FlagSet) *credentials {
	c := new(credentials)
	fs.StringVar(&c.key, "key", "", "")
	fs.StringVar(&c.secretFile, "secret-file", "", "")
	return c
}

// signer returns a signer for the host of req and for no other, nil where no
// credentials are wanted.
func (c *credentials) signer(in *invocation, req *http.Request) (*signer.Signer, error) {
	s := &signer.Signer{Hosts: []string{req.URL.Host}, Stage: req.Header.Get("X-Ca-Stage")}
	if req.Host != req.URL.Host { // a -H 'Host: ...' of the user
		s.Hosts = append(s.Hosts, req.Host)
	}
	switch {
	case c.key != "" && c.appCode:
		return nil, errors.New("--key and --appcode exclude each other: the gateway takes one of them")
	case c.key != "":
		secret, err := c.secret(in, "APIGW_APP_SECRET", "the AppSecret of this key")
		s.AppKey, s.AppSecret = c.key, secret
		return s, err
	case c.appCode && req.URL.Scheme == "http" && !isLoopback(req.URL.Hostname()):
		return nil, errors.New("the AppCode is not sent over plain HTTP, where everyone on the way can read it; use an https URL")
	case c.appCode:
		secret, err := c.secret(in, "APIGW_APP_CODE", "the AppCode")
		s.AppCode = secret
		return s, err
	case c.secretFile != "":
		return nil, errors.New("--secret-file needs --key KEY or --appcode, which say what the secret is")
	}
	return nil, nil
}

// secret reads the file or the environment. The text of its errors holds no
// part of the secret.
func (c *credentials) secret(in *invocation, variable, what string) (signer.Secret, error) {
	text := in.env(variable)
	if c.secretFile != "" {
		data, err := os.ReadFile(c.secretFile)
		if err != nil {
			return "", fmt.Errorf("--secret-file: %w", err)
		}
		text = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		if text == "" {
			return "", fmt.Errorf("--secret-file: %s is empty; it should hold %s", c.secretFile, what)
		}
	}
	if text == "" {
		return "", fmt.Errorf("no secret; put %s into the environment as %s, or into a file for --secret-file FILE", what, variable)
	}
	return signer.Secret(text), nil
}

// isLoopback reports whether host is this machine.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

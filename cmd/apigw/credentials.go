package main

import (
	"errors"
	"flag"
	"io/fs"
	"net/http"
	"net/netip"
	"os"
	"runtime"
	"strings"

	"github.com/apigw-go/apigw/signer"
)

// credentials say who calls. No flag takes a secret as its value.
type credentials struct {
	key        string
	appCode    bool
	secretFile string

	secretEnv string   // where a profile names another variable
	hosts     []string // that may see them, where a profile names some
}

// keyFlags defines the flags of a signature.
func keyFlags(set *flag.FlagSet) *credentials {
	c := new(credentials)
	set.StringVar(&c.key, "key", "", "")
	set.StringVar(&c.secretFile, "secret-file", "", "")
	return c
}

// signer returns a signer for the host of req and for no other, nil where no
// credentials are wanted. A profile can name further hosts.
func (c *credentials) signer(in *invocation, req *http.Request) (*signer.Signer, error) {
	s := &signer.Signer{Hosts: []string{req.URL.Host}, Stage: req.Header.Get("X-Ca-Stage")}
	if req.Host != req.URL.Host { // a -H 'Host: ...' of the user
		s.Hosts = append(s.Hosts, req.Host)
	}
	if c.hosts != nil {
		s.Hosts = c.hosts
	}
	switch {
	case c.key != "" && c.appCode:
		return nil, in.errorf("--key and --appcode exclude each other: the gateway takes one of them")
	case c.key != "":
		secret, err := c.secret(in, "APIGW_APP_SECRET", in.t("the AppSecret of this key", "该 AppKey 的 AppSecret"))
		s.AppKey, s.AppSecret = c.key, secret
		return s, err
	case c.appCode && req.URL.Scheme == "http" && !isLoopback(req.URL.Hostname()):
		return nil, in.errorf("the AppCode is not sent over plain HTTP, where everyone on the way can read it; use an " +
			"https URL")
	case c.appCode:
		secret, err := c.secret(in, "APIGW_APP_CODE", in.t("the AppCode", "AppCode"))
		s.AppCode = secret
		return s, err
	case c.secretFile != "":
		return nil, in.errorf("--secret-file needs --key KEY or --appcode, which say what the secret is")
	}
	return nil, nil
}

// secret reads the file or the environment. The text of its errors holds no
// part of the secret, nor the name of the file: people give the secret itself.
func (c *credentials) secret(in *invocation, variable, what string) (signer.Secret, error) {
	if c.secretEnv != "" {
		variable = c.secretEnv
	}
	text := in.env(variable)
	if c.secretFile != "" {
		data, err := os.ReadFile(c.secretFile)
		if err != nil {
			return "", in.errorf("--secret-file: %s; it takes the name of a file, not the secret", fileFault(err))
		}
		text = strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
		if text == "" {
			return "", in.errorf("--secret-file: the file is empty; it should hold %s", what)
		}
		in.warnOfReaders(c.secretFile)
	}
	if text == "" && !isVariable(variable) {
		return "", in.errorf("no secret; secretEnv of the profile takes the name of a variable, such as " +
			"WEATHER_SECRET, not the secret")
	}
	if text == "" {
		return "", in.errorf("no secret; put %s into the environment as %s, or into a file for --secret-file FILE",
			what,
			variable)
	}
	return signer.Secret(text), nil
}

// isVariable reports whether a name looks like one of an environment. Others may
// be a secret that somebody took for the value of the field.
func isVariable(name string) bool {
	if len(name) > 24 && !strings.Contains(name, "_") {
		return false
	}
	return strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "" && strings.Trim(name, "0123456789") != ""
}

// fileFault is why a file cannot be read, without its name: that may be a
// secret which somebody took for the value of the flag.
func fileFault(err error) string {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return safeText(err)
}

// warnOfReaders says so where others can read a file with a secret. Windows has
// no such bits.
func (in *invocation) warnOfReaders(file string) {
	if runtime.GOOS == "windows" {
		return
	}
	info, err := os.Stat(file)
	if err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o077 != 0 {
		in.complain("--secret-file: other users of this machine may read this file (mode %04o); chmod 600 keeps it "+
			"yours",
			info.Mode().Perm())
	}
}

// isLoopback reports whether host is this machine.
func isLoopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return strings.EqualFold(host, "localhost") || err == nil && addr.Unmap().IsLoopback()
}

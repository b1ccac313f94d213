package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
)

// connection says how a host is reached, as curl has it.
type connection struct {
	caCert  string
	resolve []string // "host:port:address[,address]"
}

func connectionFlags(fs *flag.FlagSet) *connection {
	c := new(connection)
	fs.StringVar(&c.caCert, "cacert", "", "")
	fs.Func("resolve", "", repeatable(&c.resolve))
	return c
}

// transport makes the transport below everything.
func (c *connection) transport(in *invocation) (*http.Transport, error) {
	base := http.DefaultTransport.(*http.Transport).Clone()
	base.DisableCompression = true // the body goes out as it came in
	if c.caCert != "" {
		pem, err := os.ReadFile(c.caCert)
		if err != nil {
			return nil, in.errorf("--cacert: %v", err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			return nil, in.errorf("--cacert: %s holds no certificate in PEM form", printable(c.caCert))
		}
		// As curl has it: these certificates and no others. A configuration of one's own
		// switches HTTP/2 off unless it is asked for.
		base.TLSClientConfig = &tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}
		base.ForceAttemptHTTP2 = true
	}
	addresses := map[string][]string{}
	for _, entry := range c.resolve {
		host, list, ok := parseResolve(entry)
		if !ok {
			return nil, in.errorf("--resolve %q is not of the form host:port:address", shorten(entry))
		}
		addresses[host] = append(addresses[host], list...)
	}
	if len(addresses) > 0 {
		base.DialContext = dialResolved(base.DialContext, addresses)
	}
	return base, nil
}

// parseResolve reads "api.example.com:443:192.0.2.7,[2001:db8::7]".
func parseResolve(entry string) (hostPort string, addresses []string, ok bool) {
	host, rest, ok := strings.Cut(entry, ":")
	if strings.HasPrefix(entry, "[") {
		host, rest, ok = strings.Cut(entry[1:], "]:")
	}
	port, list, hasPort := strings.Cut(rest, ":")
	if n, err := strconv.Atoi(port); !ok || !hasPort || host == "" || err != nil || n < 1 || n > 65535 {
		return "", nil, false
	}
	for address := range strings.SplitSeq(list, ",") {
		addr, err := netip.ParseAddr(strings.Trim(address, "[]"))
		if err != nil {
			return "", nil, false
		}
		addresses = append(addresses, net.JoinHostPort(addr.String(), port))
	}
	return strings.ToLower(net.JoinHostPort(host, port)), addresses, true
}

type dialFunc = func(ctx context.Context, network, address string) (net.Conn, error)

// dialResolved dials the addresses that the user gave for a host, in turn.
func dialResolved(dial dialFunc, addresses map[string][]string) dialFunc {
	return func(ctx context.Context, network, address string) (conn net.Conn, err error) {
		// Only the connection changes: Host, SNI and the name in the certificate stay.
		list, ok := addresses[strings.ToLower(address)]
		if !ok {
			return dial(ctx, network, address)
		}
		for _, address := range list {
			if conn, err = dial(ctx, network, address); err == nil {
				return conn, nil
			}
		}
		return nil, err
	}
}

package main

import (
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/apigw-go/apigw/gatewaytest"
)

// runGateway serves until somebody interrupts it. All that can be wrong with the
// flags is found before the first line of output.
func runGateway(in *invocation, args []string) int {
	fs := in.flags("gateway")
	s := gatewaySettings{in: in}
	s.define(fs)
	if _, ok, code := in.parse(fs, args, 0); !ok {
		return code
	}
	gateway, err := s.gateway()
	if err != nil {
		return in.misuse("%v", err)
	}
	server, err := newServer(gateway)
	if err != nil {
		return in.misuse("%v", err)
	}
	defer server.Close()
	listener, err := net.Listen("tcp", s.listen)
	if err != nil {
		return in.misuse("--listen: %v; give another address, 127.0.0.1:0 picks a free port", err)
	}
	server.Listener.Close() // the one that httptest chose
	server.Listener = listener
	log := &requestLog{in: in, gateway: gateway, rows: gatewaytest.ErrorRows(), withRows: s.script == ""}
	gateway.OnEnd = log.ended
	server.Config.Handler = log
	certificate, err := s.start(server)
	if err != nil {
		return in.misuse("%v", err)
	}
	ctx, stop := in.untilSignal()
	defer stop()
	in.announce(&s, server, certificate)
	<-ctx.Done()
	server.Close() // before the last line: requests in progress end first
	fmt.Fprintf(in.stdout, in.t("stopped: requests %d, executed by the backend %d\n", "已停止：收到 %d 个请求，后端执行 %d 次\n"),
		log.requests, gateway.Counts().Executed)
	return exitOK
}

// newServer makes the server, and an error of the panic with which a Gateway
// refuses what cannot be used.
func newServer(g *gatewaytest.Gateway) (s *gatewaytest.Server, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%s", strings.TrimPrefix(fmt.Sprint(p), "gatewaytest: "))
		}
	}()
	return gatewaytest.NewUnstartedServer(g), nil
}

// start starts the server in the way that the flags ask for and returns its
// certificate, if it has one.
func (s *gatewaySettings) start(server *gatewaytest.Server) (certificate []byte, err error) {
	if !s.tls {
		if s.http2 { // without TLS a client must know it: curl --http2-prior-knowledge
			server.Config.Protocols = new(http.Protocols)
			server.Config.Protocols.SetHTTP1(true)
			server.Config.Protocols.SetUnencryptedHTTP2(true)
		}
		server.Start()
		return nil, nil
	}
	host, _, _ := net.SplitHostPort(s.listen)
	cert, inPEM, err := newCertificate(host, time.Now())
	if err != nil {
		return nil, fmt.Errorf("--tls: %w", err)
	}
	if s.certOut != "" {
		if err := os.WriteFile(s.certOut, inPEM, 0o644); err != nil {
			return nil, fmt.Errorf("--cert-out: %w", err)
		}
	}
	server.TLS = &tls.Config{Certificates: []tls.Certificate{cert}}
	server.EnableHTTP2 = s.http2
	server.StartTLS()
	return inPEM, nil
}

// announce says where the gateway is and what it accepts. None of it is a
// secret: the values are the same everywhere and good for nothing else.
func (in *invocation) announce(s *gatewaySettings, server *gatewaytest.Server, certificate []byte) {
	url := strings.Replace(server.URL, "[::]", "127.0.0.1", 1)
	fmt.Fprintf(in.stdout, in.t("fake gateway (%s) at %s\n", "仿真网关（%s）：%s\n"), s.dialect, url)
	fmt.Fprintf(in.stdout, "  AppKey     %s\n  AppSecret  %s\n  AppCode    %s\n",
		gatewaytest.DefaultAppKey, gatewaytest.DefaultAppSecret, gatewaytest.DefaultAppCode)
	if s.script == "" {
		fmt.Fprintf(in.stdout,
			in.t("  every path echoes, with one of these credentials\n  errors to ask for: %s/errors/, as "+
				"%s/errors/D503CB\n",
				"  凭上述任一凭证，所有路径均回显\n  可请求的错误：%s/errors/，例如 %s/errors/D503CB\n"), url, url)
	} else {
		fmt.Fprintf(in.stdout, in.t("  routes of %s\n", "  路由来自 %s\n"), s.script)
	}
	if certificate != nil {
		fmt.Fprintf(in.stdout,
			in.t("  certificate, for curl --cacert and the like (for this run, 30 days at most):\n%s",
				"  证书，供 curl --cacert 等使用（仅限本次运行，最长 30 天）：\n%s"), certificate)
	}
	if openToOthers(server.Listener.Addr()) {
		fmt.Fprintf(in.stderr, "%s: %s\n", in.name, in.t(
			"warning: other machines reach this address, and everybody knows these credentials; --listen "+
				"127.0.0.1:8080 keeps it here",
			"警告：其他机器可访问此地址，而这些凭证人尽皆知；用 --listen 127.0.0.1:8080 限于本机"))
	}
	fmt.Fprintln(in.stdout, in.t("interrupt (Ctrl-C) to stop", "按 Ctrl-C 停止"))
}

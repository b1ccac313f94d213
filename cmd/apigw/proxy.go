package main

import (
	"context"
	"crypto/rand"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/cmd/apigw/internal/inspect"
	"github.com/apigw-go/apigw/cmd/apigw/internal/proxy"
	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/policies"
)

// proxyOptions are the flags of the proxy.
type proxyOptions struct {
	upstream, listen, inspect, stage, policy string
	pass, allowHosts                         []string
	formLimit                                int64
	allowRemote, bodies                      bool
	drain                                    time.Duration
	credentials                              *credentials
}

func proxyFlags(fs *flag.FlagSet) *proxyOptions {
	o := &proxyOptions{credentials: keyFlags(fs)}
	fs.BoolVar(&o.credentials.appCode, "appcode", false, "")
	fs.StringVar(&o.upstream, "upstream", "", "")
	fs.StringVar(&o.listen, "listen", "127.0.0.1:8079", "")
	fs.StringVar(&o.inspect, "inspect", "", "")
	fs.StringVar(&o.stage, "stage", "", "")
	fs.StringVar(&o.policy, "policy", "", "")
	fs.Func("pass", "", repeatable(&o.pass))
	fs.Func("allow-host", "", repeatable(&o.allowHosts))
	fs.Int64Var(&o.formLimit, "form-limit", proxy.DefaultFormLimit, "")
	fs.BoolVar(&o.allowRemote, "allow-remote", false, "")
	fs.BoolVar(&o.bodies, "bodies", false, "")
	fs.DurationVar(&o.drain, "drain", 30*time.Second, "")
	return o
}

// runProxy serves until somebody interrupts it. All that can be wrong with the
// flags is found before the first line of output.
func runProxy(in *invocation, args []string) int {
	fs := in.flags("proxy")
	options := proxyFlags(fs)
	if _, ok, code := in.parse(fs, args, 0); !ok {
		return code
	}
	p := &proxyServer{in: in, options: options}
	if err := p.prepare(); err != nil {
		return in.misuse("%v", err)
	}
	defer p.base.CloseIdleConnections()
	return p.serve()
}

// proxyServer is a proxy with its page.
type proxyServer struct {
	in        *invocation
	options   *proxyOptions
	upstream  *url.URL
	base      *http.Transport
	transport *apigw.Transport
	policies  policies.Set
	token     string
	listener  net.Listener
	page      net.Listener // nil without --inspect
}

// prepare checks the flags and opens the ports.
func (p *proxyServer) prepare() (err error) {
	o := p.options
	if o.upstream == "" {
		return p.in.errorf("no --upstream; name the API, as in --upstream https://api.example.com")
	}
	if p.upstream, err = proxy.ParseUpstream(o.upstream); err != nil {
		return p.in.errorf("--upstream: %w", err)
	}
	for _, name := range o.pass {
		if !isToken(name) {
			return p.in.errorf("--pass %q is not the name of a header", shorten(name))
		}
	}
	if o.formLimit < 1 {
		return p.in.errorf("--form-limit %d: give a number of bytes above 0", o.formLimit)
	}
	if o.drain < 0 {
		return p.in.errorf("--drain %v: a duration cannot be negative", o.drain)
	}
	if o.bodies && o.inspect == "" {
		return p.in.errorf("--bodies shows bodies on the page; give --inspect ADDRESS too")
	}
	if o.policy != "" {
		if err := p.policies.Load(o.policy); err != nil {
			return p.in.errorf("--policy: %w", err)
		}
	}
	if err := p.prepareTransport(); err != nil {
		return err
	}
	p.token = p.in.env("APIGW_PROXY_TOKEN")
	if p.token == "" {
		p.token = rand.Text()
	}
	if p.listener, err = p.open("--listen", o.listen); err != nil {
		return err
	}
	if o.inspect != "" {
		if p.page, err = p.open("--inspect", o.inspect); err != nil {
			p.listener.Close()
			return err
		}
	}
	return nil
}

// prepareTransport puts the Transport over the signer over the connections.
func (p *proxyServer) prepareTransport() error {
	p.base = http.DefaultTransport.(*http.Transport).Clone()
	p.base.DisableCompression = true          // bodies pass as they are
	p.base.MaxIdleConnsPerHost = 256          // all calls go to one host, for which net/http keeps two
	p.base.IdleConnTimeout = 30 * time.Second // before a server on the way closes them: a POST would die of that
	p.transport = &apigw.Transport{Base: p.base, PolicyFor: p.policies.For}
	probe, err := http.NewRequest(http.MethodGet, p.upstream.String(), nil)
	if err != nil {
		return fmt.Errorf("--upstream: %w", err)
	}
	s, err := p.options.credentials.signer(p.in, probe)
	if err != nil {
		return err
	}
	if s != nil {
		s.Base, s.Stage = p.base, p.options.stage
		p.transport.Base = s
	} else if p.options.stage != "" {
		return p.in.errorf("--stage is signed; give --key KEY or --appcode too")
	}
	return nil
}

// open listens, on this machine unless the user wants otherwise.
func (p *proxyServer) open(flag, address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, p.in.errorf("%s %q is no address: give one such as 127.0.0.1:8079", flag, shorten(address))
	}
	if !isLoopback(host) && !p.options.allowRemote {
		return nil, p.in.errorf("%s %s is open to other machines, which could then make signed calls; give "+
			"--allow-remote "+
			"if that is meant", flag, shorten(address))
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, p.in.errorf("%s: %w; give another address, 127.0.0.1:0 picks a free port", flag, err)
	}
	return listener, nil
}

// serve runs until somebody interrupts it; calls in flight end first.
func (p *proxyServer) serve() int {
	in := p.in
	inspector := &inspect.Inspector{
		Upstream: p.upstream.String(), Proxy: "http://" + p.listener.Addr().String(), Bodies: p.options.bodies,
		Token: p.token, Language: in.lang, Remote: p.options.allowRemote, Budgets: p.transport.Budgets,
		Limits:   p.transport.Limits,
		StopText: func(s apigw.StopReason) catalog.Text { return catalog.Text{EN: s.Text(), ZH: stopTexts[s]} },
	}
	handler := p.handler(inspector)
	// What outlives the draining, such as a WebSocket, ends with this context.
	calls, endCalls := context.WithCancel(context.WithoutCancel(in.ctx))
	defer endCalls()
	server := newHTTPServer(handler, calls)
	ctx, stop := in.untilSignal()
	defer stop()
	failed := make(chan error, 2)
	go func() { failed <- server.Serve(p.listener) }()
	if p.page != nil {
		// The page asks for its token itself: its address carries it once.
		page := newHTTPServer(proxy.Guard{Hosts: p.options.allowHosts}.Wrap(inspector.Handler()), calls)
		defer page.Close()
		go inspector.Run(calls)
		go func() { failed <- page.Serve(p.page) }()
	}
	p.reloadOnHangup(ctx)
	p.announce()
	select {
	case err := <-failed:
		in.complain("%v", err)
		return exitFailure
	case <-ctx.Done():
	}
	fmt.Fprintln(in.stderr, in.t("stopping: calls in flight end first", "正在停止：先等待进行中的调用结束"))
	drain, cancel := context.WithTimeout(context.WithoutCancel(ctx), p.options.drain)
	defer cancel()
	if server.Shutdown(drain) != nil {
		endCalls()
		server.Close()
	}
	fmt.Fprintln(in.stdout, in.t("stopped", "已停止"))
	return exitOK
}

// handler is what the port of the proxy serves.
func (p *proxyServer) handler(inspector *inspect.Inspector) http.Handler {
	config := proxy.Config{
		Upstream: p.upstream, Transport: p.transport, Pass: p.options.pass, FormLimit: p.options.formLimit,
		OnOutcome: func(r *http.Request, o proxy.Outcome) {
			if p.page != nil {
				inspector.OnOutcome(r, o)
			}
			p.log(r, o)
		},
	}
	guard := proxy.Guard{Hosts: p.options.allowHosts}
	if p.options.allowRemote { // this machine is trusted; a page in its browser is not
		guard.Token = p.token
	}
	if p.page == nil {
		return guard.Wrap(proxy.New(config))
	}
	p.transport.OnAttempt, p.transport.OnRetry = inspector.OnAttempt, inspector.OnRetry
	return guard.Wrap(inspector.Wrap(proxy.New(config)))
}

func newHTTPServer(handler http.Handler, ctx context.Context) *http.Server {
	return &http.Server{
		Handler: handler, BaseContext: func(net.Listener) context.Context { return ctx },
		ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute, MaxHeaderBytes: 64 << 10,
		ErrorLog: log.New(io.Discard, "", 0), // its lines can hold what a client sent
	}
}

// log writes a line for each call, without query and headers.
func (p *proxyServer) log(r *http.Request, o proxy.Outcome) {
	outcome := fmt.Sprint(o.Status)
	if o.Status == 0 {
		outcome = p.in.t("the client left", "客户端已断开")
	} else if o.Err != nil {
		outcome += " " + o.Err.Entry.ID
	}
	if n := len(o.Attempts); n > 1 {
		outcome += fmt.Sprintf(p.in.t(" (%d attempts)", "（尝试 %d 次）"), n)
	}
	fmt.Fprintf(p.in.stderr, "%s %s  %s\n", redact.Line(r.Method, 16), redact.Path(r.URL.Path, 256), outcome)
}

// reloadOnHangup reads the policy file again on SIGHUP. A file with a fault
// changes nothing.
func (p *proxyServer) reloadOnHangup(ctx context.Context) {
	if p.options.policy == "" {
		return
	}
	hangup := make(chan os.Signal, 1)
	signal.Notify(hangup, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangup)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangup:
			}
			if err := p.policies.Load(p.options.policy); err != nil {
				p.in.complain("--policy: %v; the policies in force stay", err)
			} else {
				fmt.Fprintln(p.in.stderr, p.in.t("policies read again", "策略已重新读取"))
			}
		}
	}()
}

// announce says where the proxy is. The token of the page is for whoever reads
// this terminal.
func (p *proxyServer) announce() {
	in := p.in
	fmt.Fprintf(in.stdout, in.t("proxy for %s at http://%s\n", "%s 的代理：http://%s\n"), p.upstream, p.listener.Addr())
	if p.options.allowRemote {
		fmt.Fprintf(in.stdout, in.t("  each call needs the header %s: %s\n", "  每个调用须带请求头 %s: %s\n"), proxy.HeaderToken,
			p.token)
	}
	if p.page != nil {
		fmt.Fprintf(in.stdout, in.t("page at http://%s/?token=%s\n", "页面：http://%s/?token=%s\n"), p.page.Addr(),
			p.token)
	}
	fmt.Fprintln(in.stdout, in.t("interrupt (Ctrl-C) to stop", "按 Ctrl-C 停止"))
}

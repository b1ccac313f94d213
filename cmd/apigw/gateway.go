package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
)

// runGateway serves until somebody interrupts it. All that can be wrong with the
// flags is found before the first line of output.
func runGateway(in *invocation, args []string) int {
	fs := in.flags("gateway")
	listen := fs.String("listen", "127.0.0.1:8080", "")
	script := fs.String("script", "", "")
	dialectName := fs.String("dialect", "classic", "")
	if _, ok, code := in.parse(fs, args, 0); !ok {
		return code
	}
	dialect, ok := catalog.ParseGeneration(*dialectName)
	if !ok || dialect == catalog.GenerationUnknown {
		return in.misuse("--dialect %q is not known%s; give classic, vpc or higress", shorten(*dialectName), didYouMean(*dialectName, namesUpTo(catalog.GenerationHigress)))
	}
	gateway := &gatewaytest.Gateway{Dialect: dialect}
	if *script != "" {
		data, err := os.ReadFile(*script)
		if err != nil {
			return in.misuse("--script: %v", err)
		}
		if gateway.Routes, err = gatewaytest.ParseScript(data, *script); err != nil {
			return in.misuse("--script: %v", err)
		}
	}
	server, err := newServer(gateway)
	if err != nil {
		return in.misuse("--script: %v", err)
	}
	defer server.Close()
	listener, err := net.Listen("tcp", *listen)
	if err != nil {
		return in.misuse("--listen: %v; give another address, 127.0.0.1:0 picks a free port", err)
	}
	server.Listener.Close() // the one that httptest chose
	server.Listener = listener
	log := &requestLog{in: in, gateway: gateway, rows: gatewaytest.ErrorRows(), withRows: *script == ""}
	server.Config.Handler = log

	ctx, stop := in.untilSignal()
	defer stop()
	server.Start()
	in.announce(server.URL, dialect, *script)
	<-ctx.Done()
	server.Close() // before the last line: requests in progress end first
	fmt.Fprintf(in.stdout, in.t("stopped: %d requests, the backend ran %d times\n", "已停止：收到 %d 个请求，后端执行 %d 次\n"), log.requests, gateway.Counts().Executed)
	return exitOK
}

// newServer makes the server, and an error of the panic with which a Gateway
// refuses routes that conflict.
func newServer(g *gatewaytest.Gateway) (s *gatewaytest.Server, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%v", p)
		}
	}()
	return gatewaytest.NewUnstartedServer(g), nil
}

// announce says where the gateway is and what it accepts. None of it is a
// secret: the values are the same everywhere and good for nothing else.
func (in *invocation) announce(url string, dialect catalog.Generation, script string) {
	fmt.Fprintf(in.stdout, in.t("fake gateway (%s) at %s\n", "仿真网关（%s）：%s\n"), dialect, url)
	fmt.Fprintf(in.stdout, "  AppKey     %s\n  AppSecret  %s\n  AppCode    %s\n",
		gatewaytest.DefaultAppKey, gatewaytest.DefaultAppSecret, gatewaytest.DefaultAppCode)
	if script == "" {
		fmt.Fprintf(in.stdout, in.t("  every path echoes, with one of these credentials; %s/errors/ lists the errors that can be asked for, as %s/errors/D503CB\n",
			"  凭上述任一凭证，所有路径均回显；%s/errors/ 列出可请求的错误，例如 %s/errors/D503CB\n"), url, url)
	} else {
		fmt.Fprintf(in.stdout, in.t("  routes of %s\n", "  路由来自 %s\n"), script)
	}
	fmt.Fprintln(in.stdout, in.t("interrupt (Ctrl-C) to stop", "按 Ctrl-C 停止"))
}

// requestLog writes a line for each request: no query, no header, since they
// hold what the caller wants to keep.
type requestLog struct {
	in       *invocation
	gateway  http.Handler
	rows     http.Handler
	withRows bool // serve the rows of the catalog below /errors/

	mu       sync.Mutex
	requests int // rows too, which the gateway does not see
}

func (l *requestLog) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	watched := &statusWriter{ResponseWriter: w}
	start := time.Now()
	defer func() {
		outcome := "dropped"
		switch e, failed := apigw.Classify(watched.status, w.Header()); {
		case watched.status == 0 || watched.broken:
		case failed && e.Origin == apigw.OriginGateway:
			outcome = fmt.Sprintf("%d %s", watched.status, e.Entry.ID)
		default:
			outcome = fmt.Sprint(watched.status)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.requests++
		fmt.Fprintf(l.in.stderr, "%s %s  %s  %s\n", printable(r.Method), printable(r.URL.Path), outcome, milliseconds(time.Since(start)))
	}()
	defer func() {
		if p := recover(); p != nil {
			watched.broken = true
			panic(p) // http.ErrAbortHandler: net/http drops the connection
		}
	}()
	if l.withRows && hasPrefixFold(r.URL.Path, "/errors/") {
		l.rows.ServeHTTP(watched, r)
		return
	}
	l.gateway.ServeHTTP(watched, r)
}

// statusWriter remembers the status of an answer.
type statusWriter struct {
	http.ResponseWriter
	status int
	broken bool // the connection was dropped on purpose
}

func (w *statusWriter) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *statusWriter) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets http.ResponseController flush.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func milliseconds(d time.Duration) string {
	return fmt.Sprintf("%.1fms", float64(d.Microseconds())/1000)
}

package main

import (
	"flag"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/internal/strictjson"
)

// gatewaySettings are the flags of "apigw gateway".
type gatewaySettings struct {
	in *invocation // for complaints

	listen, script, dialect, reading, window, stages string
	basePath, appCodeParam, origins, certOut         string
	authPlugin, throttled                            string
	limits                                           []string
	quota                                            int
	latency, timeout, dateOffset                     time.Duration
	tls, http2, replayProtection                     bool
}

func (s *gatewaySettings) define(fs *flag.FlagSet) {
	fs.StringVar(&s.listen, "listen", "127.0.0.1:8080", "")
	fs.StringVar(&s.script, "script", "", "")
	fs.StringVar(&s.dialect, "dialect", "classic", "")
	fs.StringVar(&s.reading, "reading", "", "")
	fs.StringVar(&s.authPlugin, "auth-plugin", "", "")
	fs.DurationVar(&s.dateOffset, "date-offset", 0, "")
	fs.BoolVar(&s.replayProtection, "replay-protection", false, "")
	fs.StringVar(&s.throttled, "throttled", "", "")
	fs.StringVar(&s.stages, "stages", "RELEASE", "")
	fs.StringVar(&s.basePath, "base-path", "", "")
	fs.StringVar(&s.appCodeParam, "appcode-param", "", "")
	fs.StringVar(&s.origins, "origins", "", "")
	fs.Func("limit", "", func(text string) error {
		s.limits = append(s.limits, text)
		return nil
	})
	fs.StringVar(&s.window, "window", "", "")
	fs.IntVar(&s.quota, "quota", 0, "")
	fs.DurationVar(&s.latency, "latency", 0, "")
	fs.DurationVar(&s.timeout, "timeout", 0, "")
	fs.BoolVar(&s.tls, "tls", false, "")
	fs.StringVar(&s.certOut, "cert-out", "", "")
	fs.BoolVar(&s.http2, "http2", false, "")
}

// gateway makes the gateway that the flags describe. An error begins with the
// flag that is wrong.
func (s *gatewaySettings) gateway() (*gatewaytest.Gateway, error) {
	g := &gatewaytest.Gateway{BasePath: s.basePath, AppCodeParam: s.appCodeParam, Stages: words(s.stages),
		Origins: words(s.origins)}
	var err error
	if g.Dialect, err = s.parseDialect(); err != nil {
		return nil, err
	}
	if s.reading != "" {
		reading, err := gatewaytest.ParseReading(s.reading)
		if err != nil {
			return nil, s.in.errorf("--reading: %w", err)
		}
		g.Readings = []gatewaytest.Reading{reading}
	}
	if g.Plugins, err = s.plugins(g.Dialect); err != nil {
		return nil, err
	}
	limits, err := s.parseLimits()
	if err != nil {
		return nil, err
	}
	if s.certOut != "" && !s.tls {
		return nil, s.in.errorf("--cert-out needs --tls: without it there is no certificate")
	}
	if s.quota < 0 || s.latency < 0 || s.timeout < 0 {
		return nil, s.in.errorf("--quota, --latency and --timeout may not be negative")
	}
	if err := s.checkWords(g); err != nil {
		return nil, err
	}
	if g.Routes, err = s.routes(); err != nil {
		return nil, err
	}
	for i := range g.Routes {
		s.apply(&g.Routes[i], limits)
	}
	return g, nil
}

// checkWords refuses what no request could ever match.
func (s *gatewaySettings) checkWords(g *gatewaytest.Gateway) error {
	if slices.Contains(g.Stages, "") {
		return s.in.errorf("--stages %q has an empty name; give names with commas between, such as RELEASE,TEST",
			shorten(s.stages))
	}
	for _, origin := range g.Origins {
		if u, err := url.Parse(origin); err != nil || u.Scheme == "" || u.Host == "" || u.Path != "" {
			return s.in.errorf("--origins %q is no origin; give scheme and host, such as https://www.example.com",
				shorten(origin))
		}
	}
	if s.basePath != "" && !strings.HasPrefix(s.basePath, "/") {
		return s.in.errorf("--base-path %q does not begin with a slash", shorten(s.basePath))
	}
	return nil
}

// parseDialect reads the name of a generation.
func (s *gatewaySettings) parseDialect() (catalog.Generation, error) {
	dialect, ok := catalog.ParseGeneration(s.dialect)
	if ok && dialect != catalog.GenerationUnknown {
		return dialect, nil
	}
	names := namesUpTo(catalog.GenerationFC)
	return 0, s.in.errorf("--dialect %q is not known%s; known are %s",
		shorten(s.dialect), s.in.didYouMean(s.dialect, names), strings.Join(names, ", "))
}

// plugins are those of the newer generation, which no other dialect has.
func (s *gatewaySettings) plugins(dialect catalog.Generation) (p gatewaytest.Plugins, err error) {
	p = gatewaytest.Plugins{DateOffset: s.dateOffset, Throttled: s.throttled}
	if s.replayProtection {
		p.Replay = new(gatewaytest.ReplayProtection)
	}
	if s.authPlugin != "" {
		var ok bool
		if p.Auth, ok = gatewaytest.ParseAuthPlugin(s.authPlugin); !ok {
			return p, s.in.errorf("--auth-plugin %q is not known%s; give hmac-auth, key-auth, jwt-auth or basic-auth",
				shorten(s.authPlugin), s.in.didYouMean(s.authPlugin, []string{"hmac-auth", "key-auth",
					"jwt-auth",
					"basic-auth"}))
		}
	}
	set := s.authPlugin != "" || s.dateOffset != 0 || s.replayProtection || s.throttled != ""
	if set && dialect != catalog.GenerationHigress {
		return p,
			s.in.errorf("--auth-plugin, --date-offset, --replay-protection and --throttled belong to --dialect " +
				"higress; add it")
	}
	return p, nil
}

// routes are those of the script, or one for everything.
func (s *gatewaySettings) routes() ([]gatewaytest.Route, error) {
	if s.script == "" {
		return []gatewaytest.Route{{Pattern: "/"}}, nil
	}
	data, err := strictjson.Load(s.script)
	if err != nil {
		return nil, s.in.errorf("--script: %w", err)
	}
	routes, err := gatewaytest.ParseScript(data, s.script)
	if err != nil {
		return nil, s.in.errorf("--script: %w", err)
	}
	return routes, nil
}

// apply sets what the flags say of every route; a script has the last word.
func (s *gatewaySettings) apply(r *gatewaytest.Route, limits []gatewaytest.Limit) {
	r.Limits = append(r.Limits, limits...)
	if r.Quota == nil && s.quota > 0 {
		r.Quota = &gatewaytest.Quota{Calls: s.quota}
	}
	if r.Latency == 0 {
		r.Latency = s.latency
	}
	if r.Timeout == 0 {
		r.Timeout = s.timeout
	}
}

// parseLimits gives the kind of --window to limits that name none.
func (s *gatewaySettings) parseLimits() ([]gatewaytest.Limit, error) {
	var limits []gatewaytest.Limit
	for _, text := range s.limits {
		l, err := gatewaytest.ParseLimit(text)
		if err != nil {
			return nil, s.in.errorf("--limit: %w", err)
		}
		if s.window != "" && len(strings.Fields(text)) == 1 {
			if l, err = gatewaytest.ParseLimit(text + " " + s.window); err != nil {
				return nil, s.in.errorf("--window: %w", err)
			}
		}
		limits = append(limits, l)
	}
	if s.window != "" && len(limits) == 0 {
		return nil, s.in.errorf("--window needs a --limit, such as --limit 100/s")
	}
	return limits, nil
}

// words splits at commas; nil for an empty text.
func words(text string) []string {
	if text == "" {
		return nil
	}
	all := strings.Split(text, ",")
	for i, w := range all {
		all[i] = strings.TrimSpace(w)
	}
	return all
}

// openToOthers reports whether a listener is reached from other machines.
func openToOthers(addr net.Addr) bool {
	tcp, ok := addr.(*net.TCPAddr)
	return !ok || !tcp.IP.IsLoopback()
}

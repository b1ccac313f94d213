package gatewaytest

import (
	"fmt"
	"net/http"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/near"
	"github.com/apigw-go/apigw/internal/strictjson"
)

// ParseScript reads routes with their scripts from JSON, for a gateway that is
// not configured in Go:
//
//	{"routes": [{
//	  "pattern": "POST /orders",
//	  "auth": "none",
//	  "limits": ["100/s", "3000/min aligned"],
//	  "script": [
//	    {"error": "D504CO", "retryAfter": "1", "times": 2},
//	    {"drop": "after-backend"},
//	    {"status": 200, "body": "done"}
//	  ]
//	}]}
//
// A route has pattern, auth ("app", "signature", "appcode", "none"), maxBody,
// httpsOnly, limits and appLimits (as [ParseLimit] reads them), quota (calls),
// breaker, latency, timeout and script; a breaker has failures, within, openFor,
// timeoutsOnly and trials; an outcome has error, params, status, header,
// retryAfter, body, delay, drop ("on-arrival", "before-backend",
// "after-backend", "in-body"), reset, dripBytes, dripEvery and times: the
// fields of [Route], [Breaker] and [Outcome]. A duration is a string with a
// unit, such as "250ms" or "0.25s"; times is -1 for all further requests.
//
// Nothing is ignored: an unknown field, one that stands twice, a value out of
// range, patterns that conflict and text after the end are refused, all at
// once, each as "name:line:column: fault: fix". The name is only for these.
func ParseScript(data []byte, name string) ([]Route, error) {
	p := &scriptParser{
		File: strictjson.File{Name: name, Data: data, Empty: noRoutes},
	}
	if err := p.Read(p.root); err != nil {
		return nil, err
	}
	return p.routes, nil
}

// noRoutes is what to write if a script has no routes.
const noRoutes = `{"routes": [{"pattern": "/", "script": [...]}]}`

// scriptParser is a script being read.
type scriptParser struct {
	strictjson.File
	routes   []Route
	patterns strictjson.Patterns
}

func (p *scriptParser) root(field strictjson.Field) {
	var schema string
	seen, faults := false, p.Faults()
	p.Object(map[string]strictjson.Reader{
		"$schema": p.String(&schema),
		"routes": func(field strictjson.Field) {
			seen = true
			p.List("route", "an array of routes", p.route)(field)
		},
	})(field)
	if !seen && p.Faults() == faults {
		p.Fail(field.Value.At, `there is no "routes": write %s`, noRoutes)
	}
}

// route reads one route, which must not conflict with those before it.
func (p *scriptParser) route(field strictjson.Field) {
	var r Route
	patternAt, faults := -1, p.Faults()
	p.Object(map[string]strictjson.Reader{
		"pattern": func(field strictjson.Field) {
			patternAt = field.Value.At
			p.String(&r.Pattern)(field)
		},
		"auth":      strictjson.OneOf(&p.File, &r.Auth, authNames[:]...),
		"maxBody":   strictjson.Int(&p.File, &r.MaxBody, 1, 1<<40, "bytes"),
		"httpsOnly": p.Bool(&r.HTTPSOnly),
		"limits":    p.limits(&r.Limits),
		"appLimits": p.limits(&r.AppLimits),
		"quota": func(field strictjson.Field) {
			r.Quota = new(Quota)
			strictjson.Int(&p.File, &r.Quota.Calls, 1, 1<<30, "calls")(field)
		},
		"breaker": func(field strictjson.Field) {
			r.Breaker = new(Breaker)
			p.breaker(field, r.Breaker)
		},
		"latency": p.DurationOrZero(&r.Latency),
		"timeout": p.Duration(&r.Timeout),
		"script": p.List("outcome", "an array of outcomes", func(field strictjson.Field) {
			r.Script = append(r.Script, p.outcome(field))
		}),
	})(field)
	p.routes = append(p.routes, r)
	switch {
	case patternAt >= 0:
		p.patterns.Check(&p.File, r.Pattern, patternAt)
	case p.Faults() == faults:
		p.Fail(field.Value.At, `a route without a pattern: add "pattern": "POST /orders", or "/" for all requests`)
	}
}

// limits reads an array of limits.
func (p *scriptParser) limits(to *[]Limit) strictjson.Reader {
	return p.List("limit", `an array of limits, such as ["100/s"]`, func(field strictjson.Field) {
		var text string
		faults := p.Faults()
		p.String(&text)(field)
		if p.Faults() > faults {
			return
		}
		l, err := ParseLimit(text)
		if err != nil {
			p.Fail(field.Value.At, "%v", err)
		}
		*to = append(*to, l)
	})
}

func (p *scriptParser) breaker(field strictjson.Field, to *Breaker) {
	p.Object(map[string]strictjson.Reader{
		"failures":     strictjson.Int(&p.File, &to.Failures, 1, 1<<20, ""),
		"within":       p.Duration(&to.Within),
		"openFor":      p.Duration(&to.OpenFor),
		"timeoutsOnly": p.Bool(&to.TimeoutsOnly),
		"trials":       strictjson.Int(&p.File, &to.Trials, 1, 1<<20, ""),
	})(field)
}

// outcome reads one outcome, whose fields must make sense together.
func (p *scriptParser) outcome(field strictjson.Field) (o Outcome) {
	faults := p.Faults()
	p.Object(map[string]strictjson.Reader{
		"error": func(field strictjson.Field) {
			p.String(&o.Error)(field)
			p.knownRow(o.Error, field.Value.At)
		},
		"params": func(field strictjson.Field) {
			o.Params = make(map[string]string)
			p.Strings(func(name, value string) { o.Params[name] = value })(field)
		},
		"status": strictjson.Int(&p.File, &o.Status, 200, 999, ""),
		"header": func(field strictjson.Field) {
			o.Header = make(http.Header)
			p.Strings(o.Header.Add)(field)
		},
		"retryAfter": p.String(&o.RetryAfter),
		"body":       p.String(&o.Body),
		"delay":      p.DurationOrZero(&o.Delay),
		"drop":       strictjson.OneOf(&p.File, &o.Drop, dropNames[:]...),
		"reset":      p.Bool(&o.Reset),
		"dripBytes":  strictjson.Int(&p.File, &o.DripBytes, 1, 1<<30, ""),
		"dripEvery":  p.DurationOrZero(&o.DripEvery),
		"times":      p.times(&o.Times),
	})(field)
	if p.Faults() > faults {
		return o // what does not fit together may be due to them
	}
	if problem := senseless(&o); problem != "" {
		p.Fail(field.Value.At, "%s", problem)
	}
	return o
}

// senseless says which fields of an outcome do not fit together.
func senseless(o *Outcome) string {
	switch problem := o.check(); {
	case problem != nil:
		return problem.Error()
	case o.Body != "" && o.Error == "" && o.Status == 0:
		return `a "body" needs an "error" or a "status": add "status": 200`
	case o.DripEvery > 0 && o.DripBytes == 0:
		return `"dripEvery" needs "dripBytes": say how many bytes at a time`
	case o.Params != nil && o.Error == "":
		return `"params" belong to an "error": add one or take them out`
	}
	return ""
}

func (p *scriptParser) times(to *int) strictjson.Reader {
	return func(field strictjson.Field) {
		faults := p.Faults()
		strictjson.Int(&p.File, to, -1, 1<<30, "-1 for all further requests")(field)
		if *to == 0 && p.Faults() == faults {
			p.Fail(field.Value.At, `times is 0: write how often, or -1 for all further requests`)
		}
	}
}

func (p *scriptParser) knownRow(id string, at int) {
	if _, ok := catalog.ByID(id); ok || id == "" {
		return
	}
	var ids []string
	for e := range catalog.All() {
		ids = append(ids, e.ID)
	}
	fix := `write an ID such as "D504CO" or "classic.quota-exhausted"`
	if best := near.Word(id, ids); best != "" {
		fix = fmt.Sprintf("did you mean %q?", best)
	}
	p.Fail(at, "no row %s in the catalog: %s", strictjson.Quote(id), fix)
}

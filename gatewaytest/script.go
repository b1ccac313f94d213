package gatewaytest

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

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
//	  "script": [
//	    {"error": "classic.service-unavailable", "retry_after": "1", "times": 2},
//	    {"drop": "after-backend"},
//	    {"status": 200, "body": "done"}
//	  ]
//	}]}
//
// A route has pattern, auth ("app", "signature", "appcode", "none"), max_body,
// latency, timeout and script; an outcome has error, params, status, header,
// retry_after, body, delay, drop ("on-arrival", "before-backend",
// "after-backend", "in-body"), reset, drip_bytes, drip_every and times: the
// fields of [Route] and [Outcome]. Durations are written as "1.5s"; times is -1
// for all further requests.
//
// Nothing is ignored: an unknown field, one that stands twice, a value out of
// range and text after the end are errors that begin with name, line and
// column and say what to write instead.
func ParseScript(data []byte, name string) ([]Route, error) {
	p := &scriptParser{
		File: strictjson.File{Name: name, Data: data, Empty: noRoutes},
		mux:  http.NewServeMux(),
	}
	root, ok := p.Parse()
	if !ok {
		return nil, p.Err()
	}
	var routes []Route
	seen := false
	err := p.object("the script", root, func(field strictjson.Field) (known []string, err error) {
		if field.Name != "routes" {
			return []string{"routes"}, nil
		}
		seen = true
		return nil, p.array(field, func(v strictjson.Value) error {
			r, err := p.route(v)
			routes = append(routes, r)
			return err
		})
	})
	if err != nil {
		return nil, err
	}
	if !seen {
		return nil, p.errorf(root.At, `no "routes"; write %s`, noRoutes)
	}
	return routes, nil
}

// noRoutes is what to write where a script has no routes.
const noRoutes = `{"routes": [{"pattern": "/", "script": [...]}]}`

// scriptParser walks the values of a script and stops at the first fault.
type scriptParser struct {
	strictjson.File
	mux *http.ServeMux // knows the patterns so far
}

func (p *scriptParser) errorf(at int, format string, args ...any) error {
	p.Fail(at, format, args...)
	return p.Err()
}

// object reads an object. read reads the value of the field, or returns the
// names of the fields that there are.
func (p *scriptParser) object(what string, v strictjson.Value, read func(strictjson.Field) (known []string, err error)) error {
	fields, ok := v.Data.([]strictjson.Field)
	if !ok {
		return p.errorf(v.At, "%s is %s; write an object, {...}", what, describe(v))
	}
	for _, field := range fields {
		if field.First >= 0 {
			return p.errorf(field.At, "field %q stands twice; remove one", field.Name)
		}
		known, err := read(field)
		if err != nil {
			return err
		}
		if known != nil {
			return p.errorf(field.At, "unknown field %q in %s; %s", field.Name, what, suggest(field.Name, known))
		}
	}
	return nil
}

func (p *scriptParser) array(field strictjson.Field, element func(strictjson.Value) error) error {
	values, ok := field.Data.([]strictjson.Value)
	if !ok {
		return p.wrongType(field, "a list, [...]")
	}
	for _, v := range values {
		if err := element(v); err != nil {
			return err
		}
	}
	return nil
}

func (p *scriptParser) wrongType(field strictjson.Field, want string) error {
	return p.errorf(field.Value.At, "%q is %s; write %s", field.Name, describe(field.Value), want)
}

func (p *scriptParser) text(field strictjson.Field) (string, error) {
	s, ok := field.Data.(string)
	if !ok {
		return "", p.wrongType(field, "a string")
	}
	return s, nil
}

func (p *scriptParser) number(field strictjson.Field, low, high int64) (int64, error) {
	number, ok := field.Data.(json.Number)
	if !ok {
		return 0, p.wrongType(field, "a number")
	}
	n, err := number.Int64()
	if err != nil || n < low || n > high {
		return 0, p.errorf(field.Value.At, "%q is %s; write a whole number from %d to %d", field.Name, number, low, high)
	}
	return n, nil
}

func (p *scriptParser) duration(field strictjson.Field) (time.Duration, error) {
	s, err := p.text(field)
	if err != nil {
		return 0, err
	}
	d, err := time.ParseDuration(s)
	if err != nil || d < 0 {
		return 0, p.errorf(field.Value.At, `%q is %q; write a duration such as "250ms" or "1.5s"`, field.Name, s)
	}
	return d, nil
}

// oneOf reads a string that is one of names and returns its place there.
func (p *scriptParser) oneOf(field strictjson.Field, names []string) (int, error) {
	s, err := p.text(field)
	if err != nil {
		return 0, err
	}
	i := slices.Index(names, s)
	if i < 0 || s == "" {
		return 0, p.errorf(field.Value.At, "%q is %q; %s", field.Name, s, suggest(s, slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })))
	}
	return i, nil
}

var routeFields = []string{"pattern", "auth", "max_body", "latency", "timeout", "script"}

// route reads one route, which must not conflict with those before it.
func (p *scriptParser) route(v strictjson.Value) (r Route, err error) {
	patternAt := -1
	err = p.object("a route", v, func(field strictjson.Field) (known []string, err error) {
		switch field.Name {
		case "pattern":
			r.Pattern, err = p.text(field)
			patternAt = field.Value.At
		case "auth":
			var i int
			i, err = p.oneOf(field, authNames[:])
			r.Auth = Auth(i)
		case "max_body":
			r.MaxBody, err = p.number(field, 1, 1<<40)
		case "latency":
			r.Latency, err = p.duration(field)
		case "timeout":
			r.Timeout, err = p.duration(field)
		case "script":
			err = p.array(field, func(v strictjson.Value) error {
				o, err := p.outcome(v)
				r.Script = append(r.Script, o)
				return err
			})
		default:
			return routeFields, nil
		}
		return nil, err
	})
	if err != nil {
		return r, err
	}
	if patternAt < 0 {
		return r, p.errorf(v.At, `a route without a pattern; add "pattern": "POST /orders", or "/" for all requests`)
	}
	if problem := register(p.mux, r.Pattern); problem != "" {
		return r, p.errorf(patternAt, "pattern %q cannot be used: %s", r.Pattern, problem)
	}
	return r, nil
}

// register asks a ServeMux, which answers by a panic, whether a pattern can be
// used beside those before it.
func register(mux *http.ServeMux, pattern string) (problem string) {
	defer func() {
		if v := recover(); v != nil {
			// Its text names places in this program's source.
			problem = registeredAt.ReplaceAllString(fmt.Sprint(v), "")
			problem = strings.ReplaceAll(problem, "\n", " ")
		}
	}()
	mux.Handle(pattern, http.NotFoundHandler())
	return ""
}

var registeredAt = regexp.MustCompile(` \(registered at [^)]*\)`)

var outcomeFields = []string{
	"error", "params", "status", "header", "retry_after", "body", "delay", "drop", "reset", "drip_bytes", "drip_every", "times",
}

func (p *scriptParser) outcome(v strictjson.Value) (o Outcome, err error) {
	err = p.object("an outcome", v, func(field strictjson.Field) (known []string, err error) {
		var n int64
		switch field.Name {
		case "error":
			if o.Error, err = p.text(field); err == nil {
				err = p.knownRow(field.Value.At, o.Error)
			}
		case "params":
			o.Params = make(map[string]string)
			err = p.strings(field, func(name, value string) { o.Params[name] = value })
		case "status":
			n, err = p.number(field, 200, 999)
			o.Status = int(n)
		case "header":
			o.Header = make(http.Header)
			err = p.strings(field, o.Header.Add)
		case "retry_after":
			o.RetryAfter, err = p.text(field)
		case "body":
			o.Body, err = p.text(field)
		case "delay":
			o.Delay, err = p.duration(field)
		case "drop":
			var i int
			i, err = p.oneOf(field, dropNames[:])
			o.Drop = Drop(i)
		case "reset":
			o.Reset, err = p.flag(field)
		case "drip_bytes":
			n, err = p.number(field, 1, 1<<30)
			o.DripBytes = int(n)
		case "drip_every":
			o.DripEvery, err = p.duration(field)
		case "times":
			n, err = p.number(field, -1, 1<<30)
			o.Times = int(n)
			if err == nil && n == 0 {
				err = p.errorf(field.Value.At, `"times" is 0; write how often, or -1 for all further requests`)
			}
		default:
			return outcomeFields, nil
		}
		return nil, err
	})
	if err != nil {
		return o, err
	}
	switch problem := o.check(); {
	case problem != nil:
		return o, p.errorf(v.At, "%v", problem)
	case o.Body != "" && o.Error == "" && o.Status == 0:
		return o, p.errorf(v.At, `a "body" needs an "error" or a "status"; add "status": 200`)
	case o.DripEvery > 0 && o.DripBytes == 0:
		return o, p.errorf(v.At, `"drip_every" needs "drip_bytes"; say how many bytes at a time`)
	case o.Params != nil && o.Error == "":
		return o, p.errorf(v.At, `"params" belong to an "error"; add one or remove them`)
	}
	return o, nil
}

func (p *scriptParser) flag(field strictjson.Field) (bool, error) {
	b, ok := field.Data.(bool)
	if !ok {
		return false, p.wrongType(field, "true or false")
	}
	return b, nil
}

// strings reads an object whose fields are free and whose values are strings.
func (p *scriptParser) strings(field strictjson.Field, add func(name, value string)) error {
	return p.object(strconv.Quote(field.Name), field.Value, func(f strictjson.Field) ([]string, error) {
		value, err := p.text(f)
		add(f.Name, value)
		return nil, err
	})
}

func (p *scriptParser) knownRow(at int, id string) error {
	if _, ok := catalog.ByID(id); ok {
		return nil
	}
	var ids []string
	for e := range catalog.All() {
		ids = append(ids, e.ID)
	}
	if best := near.Word(id, ids); best != "" {
		return p.errorf(at, "no row %q in the catalog; did you mean %q?", id, best)
	}
	return p.errorf(at, `no row %q in the catalog; write an ID such as "D504CO" or "classic.quota-exhausted"`, id)
}

// describe names a value for a fault, one that is short by itself.
func describe(v strictjson.Value) string {
	switch data := v.Data.(type) {
	case []strictjson.Value:
		return "a list"
	case json.Number:
		return "the number " + data.String()
	case bool:
		return strconv.FormatBool(data)
	}
	return v.Kind()
}

func suggest(name string, known []string) string {
	if best := near.Word(name, known); best != "" {
		return fmt.Sprintf("did you mean %q?", best)
	}
	return "known are " + strings.Join(known, ", ")
}

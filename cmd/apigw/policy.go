package main

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/policies"
)

// runPolicy checks files; it never sends anything.
func runPolicy(in *invocation, args []string) int {
	flags := in.flags("policy")
	rawURL := flags.String("url", "", "")
	method := flags.String("X", "", "")
	rest, ok, code := in.parse(flags, args, 2)
	switch {
	case !ok:
		return code
	case len(rest) == 1 && rest[0] == "schema":
		fmt.Fprint(in.stdout, policies.Schema())
		return exitOK
	case len(rest) > 0 && rest[0] != "check" && rest[0] != "schema":
		return in.misuse("policy can check a file or print the schema of such files, not %q%s", shorten(rest[0]),
			in.didYouMean(rest[0], []string{"check", "schema"}))
	case len(rest) != 2 || rest[0] != "check":
		return in.misuse("name a file, as in `apigw policy check FILE`")
	case *method != "" && *rawURL == "":
		return in.misuse("-X needs --url URL: the pattern of a request has both")
	}
	in.name = "apigw policy check"
	file := rest[1]
	read, err := policies.Load(file)
	var unreadable *fs.PathError
	switch {
	case errors.As(err, &unreadable):
		return in.misuse("%v", unreadable)
	case err != nil:
		// Each line begins with file, line and column, as editors want it.
		fmt.Fprintln(in.stderr, err)
		return exitFailure
	}
	if *rawURL == "" {
		in.writePolicies(file, read)
		return exitOK
	}
	return in.matchPolicy(read, *method, *rawURL)
}

// matchPolicy prints the policy of a request. Nothing is sent.
func (in *invocation) matchPolicy(read *policies.File, method, rawURL string) int {
	u, err := in.parseURL(rawURL)
	if err != nil {
		return in.misuse("--url: %v", err)
	}
	req, err := http.NewRequest(method, u.String(), nil)
	if err != nil {
		return in.misuse("-X %q is no HTTP method", shorten(method))
	}
	// The very choice that a Transport makes with these policies.
	var set policies.Set
	if err := set.Replace(*read); err != nil {
		fmt.Fprintln(in.stderr, err)
		return exitFailure
	}
	policy, pattern, found := set.Match(req)
	switch {
	case !found:
		pattern = in.t("no pattern; the policy of the Transport holds", "无匹配；适用 Transport 自身的策略")
	case pattern == "":
		pattern = in.t(`no pattern; "default" of the file holds`, "无匹配；适用文件中的 “default”")
	}
	fmt.Fprintf(in.stdout, "%s %s %s%s\n%s %s\n",
		in.t("request:", "请求："), req.Method, printable(u.Host), printable(u.EscapedPath()),
		in.t("pattern:", "模式："), paint(in.colour, bold, pattern))
	in.writePolicy(&policy)
	return exitOK
}

// writePolicies lists what a file holds.
func (in *invocation) writePolicies(file string, f *policies.File) {
	hasDefault := in.t("and a default", "另有缺省策略")
	if f.Default == nil {
		hasDefault = in.t("no default", "无缺省策略")
	}
	fmt.Fprintf(in.stdout, in.t("%s: ok, patterns: %d, %s\n", "%s：有效，模式 %d 个，%s\n"), printable(file), len(f.Services),
		hasDefault)
	for _, pattern := range slices.Sorted(maps.Keys(f.Services)) {
		fmt.Fprintf(in.stdout, "  %s\n", printable(pattern))
	}
}

// writePolicy shows a policy in the words of the file. What the policy leaves
// to its default is marked; the defaults are those that the fields of
// apigw.RetryPolicy document.
func (in *invocation) writePolicy(p *apigw.RetryPolicy) {
	mark := " " + in.t("(default)", "（缺省）")
	line := func(name, value, otherwise string, set bool) {
		if !set {
			value = otherwise + mark
		}
		fmt.Fprintf(in.stdout, "  %-21s %s\n", name, value)
	}
	duration := func(name string, d time.Duration, otherwise string) {
		line(name, d.String(), otherwise, d != 0)
	}
	none := in.t("none", "无")
	line("maxAttempts", fmt.Sprint(p.MaxAttempts), "4", p.MaxAttempts != 0)
	duration("initialBackoff", p.InitialBackoff, "250ms")
	duration("maxBackoff", p.MaxBackoff, "10s")
	line("backoffMultiplier", fmt.Sprint(p.BackoffMultiplier), "2", p.BackoffMultiplier != 0)
	line("jitter", p.Jitter.String(), "full", p.Jitter != apigw.JitterFull)
	duration("attemptTimeout", p.AttemptTimeout, none)
	duration("maxElapsed", p.MaxElapsed, none)
	duration("maxRetryAfter", p.MaxRetryAfter, "30s")
	duration("throttling.maxWait", p.MaxThrottleWait, in.t("none: throttled calls are not retried", "无：被限流时不重试"))
	line("throttling.limit", p.Limit.String(), in.t("none: learned, where calls may wait", "无：允许等待时自动学习"),
		p.Limit.Calls > 0)
	line("throttling.scope", strconv.Quote(p.LimitScope), in.t("none: the host", "无：按主机"), p.LimitScope != "")
	duration("quotaHold", p.QuotaHold, in.t("none: the gateway is always asked", "无：每次都询问网关"))
	line("retryableStatusCodes", strings.Trim(fmt.Sprint(p.RetryableStatusCodes), "[]"), "500 502 503 504",
		p.RetryableStatusCodes != nil)
	line("retryNonIdempotent", "true", "false", p.RetryNonIdempotent)
	line("maxBodyBuffer", fmt.Sprint(max(0, p.MaxBodyBuffer)), "65536", p.MaxBodyBuffer != 0)
	line("successMarks", successMarks(p.SuccessMarks), none, p.SuccessMarks != nil)
	line("trustProxyText", "true", "false", p.TrustProxyText)
}

// successMarks writes each mark as its conditions.
func successMarks(marks []apigw.SuccessMark) string {
	var all []string
	for _, m := range marks {
		var parts []string
		if m.Header != "" {
			parts = append(parts, strings.TrimSuffix(m.Header+": "+m.HeaderValue, ": "))
		}
		if m.JSONField != "" {
			parts = append(parts, strconv.Quote(m.JSONField)+":"+m.JSONValue)
		}
		all = append(all, strings.Join(parts, " + "))
	}
	return printable(strings.Join(all, ", "))
}

// policyOf returns the policy of a file for a request, the default one where
// there is no file.
func policyOf(file string, req *http.Request) (apigw.RetryPolicy, error) {
	if file == "" {
		return apigw.RetryPolicy{}, nil
	}
	var set policies.Set
	if err := set.Load(file); err != nil {
		return apigw.RetryPolicy{}, err
	}
	policy, _, _ := set.Match(req)
	return policy, nil
}

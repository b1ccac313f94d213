package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/redact"
	"github.com/apigw-go/apigw/signer"
)

// callFlags are the flags of call.
type callFlags struct {
	request     *requestSpec
	credentials *credentials
	profile     *profileFlags
	rules       *signingRules
	connection  *connection

	policyFile              string
	limit                   string
	maxAttempts             int
	initialBackoff, timeout time.Duration
	asJSON, head, verbose   bool
	follow                  bool
	out                     string
}

func runCall(in *invocation, args []string) int {
	fs := in.flags("call")
	f := callFlags{request: requestFlags(fs), credentials: keyFlags(fs), profile: addProfileFlags(fs),
		rules: ruleFlags(fs), connection: connectionFlags(fs)}
	fs.BoolVar(&f.credentials.appCode, "appcode", false, "")
	fs.StringVar(&f.policyFile, "policy", "", "")
	fs.IntVar(&f.maxAttempts, "max-attempts", 0, "")
	fs.DurationVar(&f.initialBackoff, "initial-backoff", 0, "")
	fs.StringVar(&f.limit, "limit", "", "")
	fs.DurationVar(&f.timeout, "timeout", 0, "")
	fs.BoolVar(&f.asJSON, "json", false, "")
	fs.BoolVar(&f.head, "i", false, "")
	fs.BoolVar(&f.verbose, "v", false, "")
	fs.BoolVar(&f.follow, "L", false, "")
	fs.StringVar(&f.out, "o", "", "")
	rest, ok, code := in.parse(fs, args, 1)
	if !ok {
		return code
	}
	switch {
	case len(rest) == 0:
		return in.misuse("no URL; see `apigw call -h` for examples")
	case isSet(fs, "max-attempts") && f.maxAttempts < 1:
		return in.misuse("--max-attempts %d: give 1 for no retry, or more", f.maxAttempts)
	case isSet(fs, "initial-backoff") && f.initialBackoff <= 0:
		return in.misuse("--initial-backoff %v: give a duration above 0, such as 100ms", f.initialBackoff)
	case isSet(fs, "timeout") && f.timeout <= 0:
		return in.misuse("--timeout %v: give a duration above 0, such as 5s", f.timeout)
	// A script could not tell them apart.
	case f.asJSON && f.head:
		return in.misuse("-i and --json exclude each other: both write to standard output")
	}
	c, err := f.prepare(in, rest[0])
	if err != nil {
		return in.fault(err)
	}
	defer c.base.CloseIdleConnections()
	defer c.close()
	return c.call()
}

// caller performs one call and shows it.
type caller struct {
	in     *invocation
	flags  *callFlags
	req    *http.Request
	signer *signer.Signer // nil without credentials
	policy apigw.RetryPolicy
	base   *http.Transport
	body   io.Writer // where the body of the response goes
	file   *os.File  // of -o, else nil
	upload *progress // nil without a large body
	masker masker    // of all that is shown
}

// prepare checks all that can be wrong before anything is sent.
func (f *callFlags) prepare(in *invocation, url string) (c *caller, err error) {
	c = &caller{in: in, flags: f, body: in.stdout}
	if err := f.profile.apply(in, f.credentials, f.request, &f.policyFile); err != nil {
		return nil, err
	}
	if c.req, err = f.request.build(in, url); err != nil {
		return nil, err
	}
	if c.signer, err = f.credentials.signer(in, c.req); err != nil {
		return nil, err
	}
	switch {
	// A reading that is silently ignored would send people hunting.
	case c.signer != nil && c.signer.AppKey != "":
		if err := f.rules.apply(in, c.signer, c.req.Header.Get("X-Ca-Signature-Method")); err != nil {
			return nil, err
		}
	case f.rules.given():
		return nil, in.errorf("--algorithm, --signed-headers and the readings are for a signature; give --key KEY too")
	}
	if c.policy, err = f.policy(c.req); err != nil {
		return nil, in.errorf("--policy: %v", err)
	}
	if f.limit != "" {
		if c.policy.Limit, err = apigw.ParseRateLimit(f.limit); err != nil {
			return nil, in.errorf("--limit %q: give calls and a time, such as 100/s or 5000/h", f.limit)
		}
		c.policy.MaxThrottleWait = cmp.Or(c.policy.MaxThrottleWait, time.Minute)
	}
	if c.base, err = f.connection.transport(in); err != nil {
		return nil, err
	}
	c.masker.learn(func(s *redact.Secrets) { *s = in.secretsOf(c.req, f.request.body, c.signer) })
	// Created last, so that a mistake in the flags leaves no empty file.
	if f.out != "" {
		if c.file, err = os.Create(f.out); err != nil {
			return nil, in.errorf("-o: %v", err)
		}
		c.body = c.file
	}
	c.watchUpload()
	return c, nil
}

// policy is the policy of the file, with what the flags change.
func (f *callFlags) policy(req *http.Request) (apigw.RetryPolicy, error) {
	policy, err := policyOf(f.policyFile, req)
	if err != nil {
		return policy, err
	}
	policy.MaxAttempts = cmp.Or(f.maxAttempts, policy.MaxAttempts)
	if d := f.initialBackoff; d > 0 {
		policy.InitialBackoff = d
		if policy.MaxBackoff < d && (policy.MaxBackoff > 0 || d > 10*time.Second) {
			policy.MaxBackoff = d // the default is 10 s; a longer first delay is meant
		}
	}
	return policy, nil
}

// watchUpload shows how much of a large body was read, on a terminal.
func (c *caller) watchUpload() {
	if c.req.ContentLength < streamedFrom || !c.in.liveErr {
		return
	}
	// Each attempt opens the body anew, and the count begins again.
	open := c.req.GetBody
	c.upload = &progress{in: c.in, size: c.req.ContentLength, what: c.in.t("sent", "已发送")}
	watched := func(body io.ReadCloser) io.ReadCloser {
		return struct {
			io.Reader
			io.Closer
		}{c.upload.reader(body), body}
	}
	c.req.Body = watched(c.req.Body)
	c.req.GetBody = func() (io.ReadCloser, error) {
		body, err := open()
		if err != nil {
			return nil, err
		}
		return watched(body), nil
	}
}

// close closes the file of -o.
func (c *caller) close() {
	if c.file != nil {
		c.file.Close()
	}
}

// withTimeout bounds the whole call.
func (f *callFlags) withTimeout(ctx context.Context) (context.Context, context.CancelFunc) {
	if f.timeout <= 0 {
		return ctx, func() {}
	}
	return context.WithTimeoutCause(ctx, f.timeout, fmt.Errorf("the --timeout of %v passed: %w", f.timeout,
		context.DeadlineExceeded))
}

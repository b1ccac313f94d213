package policies

import (
	"maps"
	"slices"
	"strings"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/strictjson"
)

// maxAttempts is more than any sensible policy has.
const maxAttempts = 100

// policy reads a policy, and checks that its fields fit together if each of
// them is right.
func (p *parser) policy(object strictjson.Field, to *apigw.RetryPolicy) {
	faults, fields := p.Faults(), p.fields(to)
	p.Object(fields)(object)
	if p.Faults() > faults {
		return
	}
	if err := to.Validate(); err != nil {
		p.Fail(object.Value.At, "%s", inWordsOfTheFile(err.Error(), fields))
	}
}

// fields are the readers of a policy's fields by their names in the file.
func (p *parser) fields(to *apigw.RetryPolicy) map[string]strictjson.Reader {
	return map[string]strictjson.Reader{
		"maxAttempts":          strictjson.Int(&p.File, &to.MaxAttempts, 1, maxAttempts, "1 for no retry"),
		"initialBackoff":       p.Duration(&to.InitialBackoff),
		"maxBackoff":           p.Duration(&to.MaxBackoff),
		"backoffMultiplier":    p.Number(&to.BackoffMultiplier, 1, 100),
		"jitter":               strictjson.OneOf(&p.File, &to.Jitter, jitters()...),
		"attemptTimeout":       p.Duration(&to.AttemptTimeout),
		"maxElapsed":           p.Duration(&to.MaxElapsed),
		"maxRetryAfter":        p.Duration(&to.MaxRetryAfter),
		"throttling":           p.throttling(to),
		"quotaHold":            p.Duration(&to.QuotaHold),
		"retryableStatusCodes": p.statusCodes(&to.RetryableStatusCodes),
		"retryNonIdempotent":   p.Bool(&to.RetryNonIdempotent),
		"maxBodyBuffer":        p.bodyBuffer(&to.MaxBodyBuffer),
		"successMarks":         p.successMarks(&to.SuccessMarks),
		"trustProxyText":       p.Bool(&to.TrustProxyText),
	}
}

func (p *parser) throttling(to *apigw.RetryPolicy) strictjson.Reader {
	return p.Object(map[string]strictjson.Reader{
		"maxWait": p.Duration(&to.MaxThrottleWait),
		"limit":   p.limit(&to.Limit),
		"scope":   p.String(&to.LimitScope),
	})
}

// limit reads calls and a time.
func (p *parser) limit(to *apigw.RateLimit) strictjson.Reader {
	const want = `calls and a time, such as "100/s", "1000/min", "5000/h" or "500/10s"`
	return func(field strictjson.Field) {
		text, ok := field.Data.(string)
		if !ok {
			p.WrongType(field, want)
			return
		}
		limit, err := apigw.ParseRateLimit(text)
		if err != nil {
			p.Fail(field.Value.At, "%s is %s: write %s", field.Name, strictjson.Quote(text), want)
			return
		}
		*to = limit
	}
}

// jitters are the words for a jitter by its value.
func jitters() (words []string) {
	for j := apigw.JitterFull; j <= apigw.JitterNone; j++ {
		words = append(words, j.String())
	}
	return words
}

// bodyBuffer reads a number of bytes. 0 means none in a file, where a field can
// be left out, and the default in a RetryPolicy.
func (p *parser) bodyBuffer(to *int64) strictjson.Reader {
	return func(field strictjson.Field) {
		strictjson.Int(&p.File, to, 0, 1<<30, "bytes, 0 for none")(field)
		if *to == 0 {
			*to = -1
		}
	}
}

// statusCodes reads a list that may be empty, for none.
func (p *parser) statusCodes(to *[]int) strictjson.Reader {
	return func(list strictjson.Field) {
		codes := []int{}
		p.List("status code", "an array of status codes, such as [502, 503]", func(field strictjson.Field) {
			var code int
			strictjson.Int(&p.File, &code, 400, 599, "")(field)
			if code != 0 && slices.Contains(codes, code) {
				p.Fail(field.At, "status code %d is there twice: take one out", code)
				return
			}
			codes = append(codes, code)
		})(list)
		*to = codes
	}
}

// inWordsOfTheFile writes the Go names of fields as the file does.
func inWordsOfTheFile(text string, fields map[string]strictjson.Reader) string {
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		text = strings.ReplaceAll(text, strings.ToUpper(name[:1])+name[1:], name)
	}
	return text
}

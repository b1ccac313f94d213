package policies

import (
	"bytes"
	"encoding/json"
	"strings"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/strictjson"
)

// successMarks reads a list of marks, each of which has to make sense.
func (p *parser) successMarks(to *[]apigw.SuccessMark) strictjson.Reader {
	const want = `an array of marks, such as [{"header": "X-Fc-Error-Type"}]`
	return p.List("success mark", want, func(field strictjson.Field) {
		var m apigw.SuccessMark
		faults := p.Faults()
		p.Object(map[string]strictjson.Reader{
			"header":      p.String(&m.Header),
			"headerValue": p.String(&m.HeaderValue),
			"jsonField":   p.String(&m.JSONField),
			"jsonValue":   p.scalar(&m.JSONValue),
		})(field)
		if p.Faults() > faults {
			return
		}
		// Here the place is known. The policy as a whole is asked again.
		alone := apigw.RetryPolicy{SuccessMarks: []apigw.SuccessMark{m}}
		if err := alone.Validate(); err != nil {
			p.Fail(field.At, "%s", markWords.Replace(err.Error()))
			return
		}
		*to = append(*to, m)
	})
}

// markWords writes what a mark's fault says in the words of the file.
var markWords = strings.NewReplacer("SuccessMarks[0]", "success mark", "HeaderValue", "headerValue", "Header", "header",
	"JSONField", "jsonField", "JSONValue", "jsonValue")

// scalar reads a value that is neither object nor array, and stores it as JSON
// text: a string with its quotes.
func (p *parser) scalar(to *string) strictjson.Reader {
	return func(field strictjson.Field) {
		switch v := field.Data.(type) {
		case []strictjson.Field, []strictjson.Value:
			p.WrongType(field, "a string, a number, true, false or null")
		case json.Number:
			*to = v.String()
		default:
			var text bytes.Buffer
			e := json.NewEncoder(&text)
			e.SetEscapeHTML(false) // as services write it
			e.Encode(v)            // a string, true, false or null: never fails
			*to = strings.TrimSpace(text.String())
		}
	}
}

package strictjson_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/apigw-go/apigw/internal/strictjson"
)

// everything has a field for each reader.
type everything struct {
	word    string
	yes     bool
	count   int
	size    int64
	factor  float64
	colour  uint8
	wait    time.Duration
	delay   time.Duration
	list    []int
	headers map[string]string
}

func (e *everything) read(text string) error {
	f := &strictjson.File{Name: "f", Data: []byte(text), Empty: "{}"}
	return f.Read(f.Object(map[string]strictjson.Reader{
		"word":   f.String(&e.word),
		"yes":    f.Bool(&e.yes),
		"count":  strictjson.Int(f, &e.count, 1, 100, "1 for no retry"),
		"size":   strictjson.Int(f, &e.size, 0, 1<<40, ""),
		"factor": f.Number(&e.factor, 1, 100),
		"colour": strictjson.OneOf(f, &e.colour, "", "red", "green", "blue"),
		"wait":   f.Duration(&e.wait),
		"delay":  f.DurationOrZero(&e.delay),
		"list": f.List("entry", "an array of numbers, such as [1, 2]", func(field strictjson.Field) {
			var n int
			strictjson.Int(f, &n, 0, 9, "")(field)
			e.list = append(e.list, n)
		}),
		"headers": f.Strings(func(name, value string) {
			if e.headers == nil {
				e.headers = map[string]string{}
			}
			e.headers[name] = value
		}),
		"nested": f.Object(map[string]strictjson.Reader{"word": f.String(&e.word)}),
	}))
}

func TestReaders(t *testing.T) {
	var got everything
	if err := got.read(`{"word": "a", "yes": true, "count": 1e1, "size": 1099511627776, "factor": 1.5, "colour": "green",
		"wait": "250ms", "delay": "0s", "list": [1, 2.0], "headers": {"A": "b", "": ""},
		"nested": {"word": "c"}}`); err != nil {
		t.Fatal(err)
	}
	want := everything{
		word: "c", yes: true, count: 10, size: 1 << 40, factor: 1.5, colour: 2,
		wait: 250 * time.Millisecond, list: []int{1, 2}, headers: map[string]string{"A": "b", "": ""},
	}
	if fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestReadersReport(t *testing.T) {
	const known = "colour, count, delay, factor, headers, list, nested, size, wait, word, yes"
	long := strings.Repeat("ä", 5000)
	for _, tt := range []struct{ name, text, want string }{
		{"no object", `[]`, `f:1:1: the file is an array: write an object, in braces`},
		{"unknown", `{"x": 1}`, `f:1:2: unknown field "x": take it out, known are ` + known},
		{"near", `{"Colur": 1}`, `f:1:2: unknown field "Colur": did you mean "colour"?`},
		{"snake case", `{"head_ers": 1}`, `f:1:2: unknown field "head_ers": did you mean "headers"?`},
		{"unknown below", `{"nested": {"wrd": 1}}`, `f:1:13: unknown field "wrd": did you mean "word"?`},
		{"twice", "{\"word\": \"a\",\n\"word\": \"b\"}", `f:2:1: "word" is there twice, first in line 1: take one out`},
		{"twice in free names",
			`{"headers": {"A": "a", "A": "b"}}`, `f:1:24: "A" is there twice, first in line 1: take one out`},
		{"null", `{"word": null}`, `f:1:10: word is null: write a string`},
		{"string", `{"word": 1}`, `f:1:10: word is a number: write a string`},
		{"bool", `{"yes": "true"}`, `f:1:9: yes is a string: write true or false`},
		{"int", `{"count": "1"}`, `f:1:11: count is a string: write a whole number from 1 to 100 (1 for no retry)`},
		{"too small", `{"count": 0}`, `f:1:11: count is 0: write a whole number from 1 to 100 (1 for no retry)`},
		{"too large", `{"count": 1e999}`,
			`f:1:11: count is 1e999: write a whole number from 1 to 100 (1 for no retry)`},
		{"not whole", `{"count": 2.5}`, `f:1:11: count is 2.5: write a whole number from 1 to 100 (1 for no retry)`},
		{"many digits", `{"count": 1` + strings.Repeat("0", 1000) + `}`,
			`f:1:11: count is 1` + strings.Repeat("0", 39) + `…: write a whole number from 1 to 100 (1 for no retry)`},
		{"number", `{"factor": 0.5}`, `f:1:12: factor is 0.5: write a number from 1 to 100`},
		{"no word", `{"colour": 1}`, `f:1:12: colour is a number: write "red", "green" or "blue"`},
		{"empty word", `{"colour": ""}`, `f:1:12: colour is "": write "red", "green" or "blue"`},
		{"near word", `{"colour": "gren"}`, `f:1:12: colour is "gren": did you mean "green"?`},
		{"long word", `{"colour": "` + long + `"}`,
			`f:1:12: colour is "` + long[:120] + `…": write "red", "green" or "blue"`},
		{"list", `{"list": 1}`, `f:1:10: list is a number: write an array of numbers, such as [1, 2]`},
		{"entry", `{"list": [1, "2"]}`, `f:1:14: entry is a string: write a whole number from 0 to 9`},
		{"strings", `{"headers": {"A": 1}}`, `f:1:19: A is a number: write a string`},
		{"all at once", `{"yes": 1, "x": 1, "word": 1}`, `f:1:9: yes is a number: write true or false` + "\n" +
			`f:1:12: unknown field "x": take it out, known are ` + known + "\n" +
			`f:1:28: word is a number: write a string`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if err := new(everything).read(tt.text); err == nil || err.Error() != tt.want {
				t.Errorf("got  %v\nwant %s", err, tt.want)
			}
		})
	}
}

// A refused value leaves the place as it was, so that a check of several
// fields does not see half a value.
func TestRefusedValueIsNotStored(t *testing.T) {
	got := everything{word: "a", yes: true, count: 7, factor: 3, colour: 1, wait: time.Second, delay: time.Second}
	want := fmt.Sprintf("%+v", got)
	if got.read(`{"word": 1, "yes": 0, "count": 0, "factor": 0, "colour": "x", "wait": "0s", "delay": "-1s",
		"headers": {"a": 1}}`) == nil {
		t.Error("got no error")
	}
	if got := fmt.Sprintf("%+v", got); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A fault costs nothing until it is shown: 60,000 of them are no attack.
func TestManyFaultsAreCheap(t *testing.T) {
	text := `{"z": 0` + strings.Repeat(`, "some_unknown_name": 1, "z": 0`, 30_000) + `}`
	begin := time.Now()
	err := new(everything).read(text)
	if err == nil || !strings.HasSuffix(err.Error(), "f: 59981 more") {
		t.Errorf("got %.200v, want the count of the rest", err)
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v, want a fraction of a second", took)
	}
}

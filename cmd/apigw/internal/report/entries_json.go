package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// mostOfElement bounds the memory for one element of a JSON document.
const mostOfElement = 32 << 20

// isDocument reports whether a log is one JSON document, or several in many
// lines each, and not JSON line by line.
func isDocument(head []byte) bool {
	head = bytes.TrimSpace(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")))
	if len(head) == 0 || head[0] != '{' && head[0] != '[' {
		return false
	}
	line, _, several := bytes.Cut(head, []byte("\n"))
	if several {
		open := depthOf(line)
		return open > 0 && (len(bytes.TrimSpace(line)) <= 2 || bytes.HasSuffix(bytes.TrimSpace(line), []byte("{")) ||
			bytes.HasSuffix(bytes.TrimSpace(line), []byte("[")) || bytes.HasSuffix(bytes.TrimSpace(line), []byte(",")))
	}
	compact := bytes.ReplaceAll(line[:min(len(line), 64)], []byte(" "), nil)
	return compact[0] == '[' || bytes.HasPrefix(compact, []byte(`{"log":{`))
}

// elements yields the objects of a document: those of an array, the entries of
// HAR, or one after the other.
type elements struct {
	in      *lineCounter
	decoder *json.Decoder
	yield   func(Entry, error) bool
	line    int
	stopped bool
}

func newElements(in io.Reader, yield func(Entry, error) bool) *elements {
	counter := &lineCounter{in: in}
	return &elements{in: counter, decoder: json.NewDecoder(counter), yield: yield, line: 1}
}

func (e *elements) run() {
	for !e.stopped {
		if err := e.top(); err != nil {
			if !errors.Is(err, io.EOF) && !e.stopped {
				e.yield(Entry{}, fmt.Errorf("behind line %d: %w", e.lineAt(e.decoder.InputOffset()), err))
			}
			return
		}
	}
}

// top reads one value at the top: an array by its elements, HAR by its entries,
// another object as it is.
func (e *elements) top() error {
	token, err := e.decoder.Token()
	if err != nil {
		return err
	}
	switch token {
	case json.Delim('['):
		return e.array()
	case json.Delim('{'):
		return e.object()
	}
	return nil
}

func (e *elements) array() error {
	for e.decoder.More() && !e.stopped {
		if err := e.element(); err != nil {
			return err
		}
	}
	_, err := e.decoder.Token()
	return err
}

// object reads an object whose brace is read already. Of HAR, "log" and in it
// "entries" are gone into; other objects are put together again.
func (e *elements) object() error {
	line := e.lineAt(e.decoder.InputOffset() - 1)
	whole := []byte{'{'}
	for e.decoder.More() && !e.stopped {
		key, err := e.decoder.Token()
		if err != nil {
			return err
		}
		name, _ := key.(string)
		// HAR is one object, too large for memory; its entries are not.
		if name == "log" && len(whole) == 1 {
			if next, err := e.decoder.Token(); err != nil {
				return err
			} else if next == json.Delim('{') {
				if err := e.har(); err != nil {
					return err
				}
				continue
			}
			continue // a text
		}
		var value json.RawMessage
		if err := e.decode(&value); err != nil {
			return err
		}
		if len(whole) > 1 {
			whole = append(whole, ',')
		}
		encoded, _ := json.Marshal(name)
		whole = append(append(append(whole, encoded...), ':'), value...)
	}
	if _, err := e.decoder.Token(); err != nil {
		return err
	}
	if len(whole) > 1 && !e.stopped {
		e.stopped = !e.yield(Entry{Text: append(whole, '}'), Line: line}, nil)
	}
	return nil
}

// har reads the value of "log".
func (e *elements) har() error {
	for e.decoder.More() && !e.stopped {
		key, err := e.decoder.Token()
		if err != nil {
			return err
		}
		if key != "entries" {
			var skipped json.RawMessage
			if err := e.decode(&skipped); err != nil {
				return err
			}
			continue
		}
		if _, err := e.decoder.Token(); err != nil {
			return err
		}
		if err := e.array(); err != nil {
			return err
		}
	}
	_, err := e.decoder.Token()
	return err
}

// element reads one value and hands it out.
func (e *elements) element() error {
	var value json.RawMessage
	if err := e.decode(&value); err != nil {
		return err
	}
	line := e.lineAt(e.decoder.InputOffset() - int64(len(value)))
	e.stopped = !e.yield(Entry{Text: value, Line: line}, nil)
	return nil
}

// decode reads one value of bounded length.
func (e *elements) decode(value *json.RawMessage) error {
	// encoding/json keeps a value whole, so that a file without an end would fill
	// the memory.
	e.in.budget = mostOfElement
	return e.decoder.Decode(value)
}

// lineAt is the line of an offset, which must not be before the latest one.
func (e *elements) lineAt(offset int64) int {
	e.line += e.in.passed(offset)
	return e.line
}

// lineCounter remembers where the lines begin that the decoder has read ahead.
type lineCounter struct {
	in     io.Reader
	budget int // bytes that may still be read for this value
	offset int64
	breaks []int64
}

var errElement = fmt.Errorf("a value of more than %d MiB is no entry of a log", mostOfElement>>20)

func (c *lineCounter) Read(p []byte) (int, error) {
	if c.budget < 0 {
		return 0, errElement
	}
	n, err := c.in.Read(p)
	c.budget -= n
	for i, b := range p[:n] {
		if b == '\n' {
			c.breaks = append(c.breaks, c.offset+int64(i))
		}
	}
	c.offset += int64(n)
	return n, err
}

// passed counts the line ends before an offset, and forgets them.
func (c *lineCounter) passed(offset int64) int {
	n := 0
	for n < len(c.breaks) && c.breaks[n] < offset {
		n++
	}
	c.breaks = append(c.breaks[:0], c.breaks[n:]...)
	return n
}

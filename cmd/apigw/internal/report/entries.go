package report

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"iter"
	"strings"
)

// Entry is one entry of a log: a line with those that belong to it, or an
// element of a JSON document.
type Entry struct {
	// Text is valid until the next entry is asked for.
	Text []byte
	// Line is where it begins, counted from 1.
	Line int
	// Cut says that the entry was longer than what is read of one.
	Cut bool
}

// mostOfEntry bounds one entry. What is longer is no entry of a log, and it is
// read up to here.
const mostOfEntry = 256 << 10

// Entries goes through a log of any length in constant memory. It ends with an
// error only where reading fails. The log may be packed with gzip or written in
// UTF-16.
//
// A line begins an entry unless it goes on with the one before: it is indented,
// is a frame of a stack, a header behind a status line, or a line of a head. Of
// a JSON document each element of the array is an entry, of HAR each of its
// entries, of other documents each object.
func Entries(r io.Reader) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		s := &splitter{in: bufio.NewReaderSize(r, 64<<10)}
		if err := s.unpack(); err != nil {
			yield(Entry{}, err)
			return
		}
		if head, _ := s.in.Peek(32 << 10); isDocument(head) {
			newElements(s.in, yield).run()
			return
		}
		for {
			e, ok := s.next()
			if ok && !yield(e, nil) {
				return
			}
			if s.err != nil {
				if !errors.Is(s.err, io.EOF) {
					yield(Entry{}, s.err)
				}
				return
			}
		}
	}
}

type splitter struct {
	in     *bufio.Reader
	err    error
	number int    // of lines read
	ahead  []byte // a line that begins the next entry
	have   bool   // ahead is one
	entry  []byte
}

// unpack replaces the input by what is in it.
func (s *splitter) unpack() error {
	head, _ := s.in.Peek(512) // what is wrong comes again when it is read
	if len(head) > 2 && head[0] == 0x1f && head[1] == 0x8b {
		z, err := gzip.NewReader(s.in)
		if err != nil {
			return err
		}
		s.in = bufio.NewReaderSize(z, 64<<10)
		head, _ = s.in.Peek(512)
	}
	if order := utf16Order(head); order != nil {
		s.in = bufio.NewReaderSize(&utf16Reader{in: s.in, order: order}, 64<<10)
	}
	return nil
}

// line reads a line without its end, up to the bound; the rest is skipped.
func (s *splitter) line() (line []byte, ok bool) {
	for first := true; ; first = false {
		part, err := s.in.ReadSlice('\n')
		if len(line)+len(part) <= mostOfEntry {
			line = append(line, part...)
		}
		if errors.Is(err, bufio.ErrBufferFull) {
			continue
		}
		s.err = err
		if len(part) == 0 && err != nil && first {
			return nil, false
		}
		s.number++
		return bytes.TrimRight(line, "\r\n"), true
	}
}

// next reads an entry: a line, and those that go on with it.
func (s *splitter) next() (e Entry, ok bool) {
	if !s.have {
		if s.ahead, s.have = s.line(); !s.have {
			return e, false
		}
	}
	s.entry = append(s.entry[:0], s.ahead...)
	e.Line = s.number
	s.have = false
	j := joiner{}
	j.first(s.entry)
	for s.err == nil {
		line, ok := s.line()
		if !ok {
			break
		}
		if !j.goesOn(line) {
			s.ahead, s.have = line, true
			break
		}
		if len(s.entry)+len(line) < mostOfEntry {
			s.entry = append(append(s.entry, '\n'), line...)
		} else {
			e.Cut = true
		}
	}
	if s.have {
		s.err = ifEOF(s.err) // one more entry is there
	}
	e.Text = s.entry
	return e, len(bytes.TrimSpace(s.entry)) > 0
}

// ifEOF forgets the end of the input: what was read ahead comes first, and the
// next reading finds the end again.
func ifEOF(err error) error {
	if errors.Is(err, io.EOF) {
		return nil
	}
	return err
}

// joiner decides which lines are one entry.
type joiner struct {
	head   bool   // in a head
	prefix string // of the head's lines
}

func (j *joiner) first(line []byte) {
	text := string(line)
	if at, _, ok := statusLine(text); ok {
		j.head, j.prefix = true, text[:at]
	}
}

// goesOn reports whether the line belongs to the entry so far.
func (j *joiner) goesOn(line []byte) bool {
	if j.head {
		rest, mine := cutPrefix(string(line), j.prefix)
		if !mine {
			j.head = false
			return false
		}
		if _, _, ok := statusLine(rest); ok {
			return false
		}
		if rest == "" || rest == `[\r][\n]"` {
			j.head = false
			return true
		}
		name, _, isHeader := strings.Cut(rest, ":")
		if isHeader && isToken(strings.TrimSpace(name)) || rest[0] == ' ' || rest[0] == '\t' {
			return true
		}
		j.head = false
	}
	return isContinuation(line)
}

// isContinuation recognises lines that programs write below an entry.
func isContinuation(line []byte) bool {
	if len(line) == 0 {
		return false
	}
	switch line[0] {
	case ' ', '\t', ')', '}', ']':
		return true
	}
	for _, begin := range []string{"Caused by:", "Traceback", "During handling", "...", "x-ca-", "X-Ca-"} {
		if bytes.HasPrefix(line, []byte(begin)) {
			return true
		}
	}
	return false
}

// depthOf counts brackets that a line opens and does not close, outside of
// strings.
func depthOf(line []byte) (n int) {
	quoted := false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && quoted:
			i++
		case c == '"':
			quoted = !quoted
		case quoted:
		case c == '{' || c == '[':
			n++
		case c == '}' || c == ']':
			n--
		}
	}
	return n
}

package report

import (
	"bufio"
	"encoding/binary"
	"io"
	"unicode/utf16"
	"unicode/utf8"
)

// utf16Reader turns UTF-16 into UTF-8 on the way.
type utf16Reader struct {
	in      *bufio.Reader
	order   binary.ByteOrder
	pending []byte
}

func (r *utf16Reader) Read(p []byte) (n int, err error) {
	for len(r.pending) < len(p) && err == nil {
		var c rune
		if c, err = r.rune(); err == nil && c != '\ufeff' {
			r.pending = utf8.AppendRune(r.pending, c)
		}
	}
	n = copy(p, r.pending)
	r.pending = append(r.pending[:0], r.pending[n:]...)
	if n > 0 {
		err = nil // it comes again
	}
	return n, err
}

func (r *utf16Reader) rune() (rune, error) {
	unit, err := r.unit()
	if err != nil || !utf16.IsSurrogate(rune(unit)) {
		return rune(unit), err
	}
	low, err := r.unit()
	if err != nil {
		return utf8.RuneError, nil
	}
	return utf16.DecodeRune(rune(unit), rune(low)), nil
}

func (r *utf16Reader) unit() (uint16, error) {
	var two [2]byte
	if _, err := io.ReadFull(r.in, two[:]); err != nil {
		return 0, io.EOF // half a unit is none
	}
	return r.order.Uint16(two[:]), nil
}

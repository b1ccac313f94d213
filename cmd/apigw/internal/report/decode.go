package report

import (
	"bytes"
	"compress/gzip"
	"encoding/binary"
	"io"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// MaxText bounds what is read of one text. A head and its error body are a few
// kilobytes; more is the log of a day, which [Entries] reads piece by piece.
const MaxText = 1 << 20

// Decode is the text of a file or a pipe, as [Read] reads it.
func Decode(raw []byte) string { return decode(raw) }

// decode makes UTF-8 of what a file or a pipe held. Bytes of another encoding,
// such as GBK, become replacement characters: all that decides is ASCII.
func decode(raw []byte) string {
	if len(raw) > 2 && raw[0] == 0x1f && raw[1] == 0x8b {
		raw = gunzip(raw)
	}
	raw = raw[:min(len(raw), MaxText)]
	if order := utf16Order(raw); order != nil {
		return decodeUTF16(raw, order)
	}
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	if utf8.Valid(raw) {
		return string(raw)
	}
	return strings.ToValidUTF8(string(raw), "�")
}

// gunzip returns what can be unpacked: a log that is still written has no end.
func gunzip(raw []byte) []byte {
	z, err := gzip.NewReader(bytes.NewReader(raw))
	if err != nil {
		return raw
	}
	text, _ := io.ReadAll(io.LimitReader(z, MaxText))
	return text
}

// utf16Order recognises UTF-16 by its mark, or by zeros in every other byte, as
// PowerShell redirects ASCII to a file. It is nil for other texts.
func utf16Order(raw []byte) binary.ByteOrder {
	switch {
	case bytes.HasPrefix(raw, []byte{0xff, 0xfe}):
		return binary.LittleEndian
	case bytes.HasPrefix(raw, []byte{0xfe, 0xff}):
		return binary.BigEndian
	}
	sample := raw[:min(len(raw), 512)&^1]
	var zeros [2]int // at even and at odd places
	for i, c := range sample {
		if c == 0 {
			zeros[i&1]++
		}
	}
	switch most := len(sample) / 2 * 3 / 4; {
	case len(sample) < 8:
	case zeros[1] >= most && zeros[0] == 0:
		return binary.LittleEndian
	case zeros[0] >= most && zeros[1] == 0:
		return binary.BigEndian
	}
	return nil
}

func decodeUTF16(raw []byte, order binary.ByteOrder) string {
	units := make([]uint16, 0, len(raw)/2)
	for ; len(raw) >= 2; raw = raw[2:] {
		units = append(units, order.Uint16(raw))
	}
	return strings.TrimPrefix(string(utf16.Decode(units)), "\ufeff")
}

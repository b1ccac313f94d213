package main

import (
	"bytes"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/textproto"
	"os"
	"path/filepath"
	"strings"
)

// segment is a piece of a multipart body: bytes, or a file that is read when it
// is sent.
type segment struct {
	data []byte
	file string
	size int64
}

// multipartBody makes the body of -F values, as curl has them: "name=value",
// "name=@file", "name=<file", each with ";type=..." and, for a file,
// ";filename=...". Files are not held in memory.
func (in *invocation) multipartBody(forms []string) (requestBody, error) {
	var buffer bytes.Buffer
	var segments []segment
	w := multipart.NewWriter(&buffer)
	flush := func() {
		if buffer.Len() > 0 {
			segments = append(segments, segment{data: bytes.Clone(buffer.Bytes()), size: int64(buffer.Len())})
			buffer.Reset()
		}
	}
	for _, form := range forms {
		part, err := in.parseForm(form)
		if err != nil {
			return requestBody{}, err
		}
		if _, err := w.CreatePart(part.header); err != nil {
			return requestBody{}, err
		}
		if part.file == "" {
			buffer.Write(part.value)
			continue
		}
		flush()
		info, err := os.Stat(part.file)
		if err != nil || !info.Mode().IsRegular() {
			return requestBody{}, in.errorf("-F %s: the file cannot be read, or is none", shorten(part.name))
		}
		segments = append(segments, segment{file: part.file, size: info.Size()})
	}
	if err := w.Close(); err != nil {
		return requestBody{}, err
	}
	flush()
	b := requestBody{contentType: w.FormDataContentType(), open: func() (io.ReadCloser,
		error) {
		return openSegments(segments)
	}}
	for _, s := range segments {
		b.size += s.size
	}
	return b, nil
}

type formPart struct {
	name, file string
	value      []byte
	header     textproto.MIMEHeader
}

// parseForm reads one -F.
func (in *invocation) parseForm(form string) (p formPart, err error) {
	name, value, ok := strings.Cut(form, "=")
	if !ok || name == "" {
		return p, in.errorf("a -F is not of the form name=value or name=@file")
	}
	p.name = name
	disposition := `form-data; name="` + quoteName(name) + `"`
	p.header = textproto.MIMEHeader{}
	if file, ok := strings.CutPrefix(value, "@"); ok {
		var filename string
		p.file, filename, p.header = fileOptions(file)
		disposition += `; filename="` + quoteName(filename) + `"`
		if p.header.Get("Content-Type") == "" {
			p.header.Set("Content-Type", typeOf(p.file))
		}
	} else if file, ok := strings.CutPrefix(value, "<"); ok {
		if p.value, err = in.readFile(file); err != nil {
			return p, in.errorf("-F %s: %s", shorten(name), safeText(err))
		}
	} else {
		p.value = []byte(value)
	}
	p.header.Set("Content-Disposition", disposition)
	return p, nil
}

// quoteName escapes what would end a name in Content-Disposition, as browsers do.
var quoteName = strings.NewReplacer(`"`, "%22", "\r", "%0D", "\n", "%0A").Replace

// fileOptions splits "file;type=text/plain;filename=name".
func fileOptions(value string) (file, name string, h textproto.MIMEHeader) {
	h = textproto.MIMEHeader{}
	file, options, _ := strings.Cut(value, ";")
	name = filepath.Base(file)
	for option := range strings.SplitSeq(options, ";") {
		switch key, text, _ := strings.Cut(strings.TrimSpace(option), "="); key {
		case "type":
			h.Set("Content-Type", text)
		case "filename":
			name = strings.Trim(text, `"`)
		}
	}
	return file, name, h
}

// typeOf guesses the type of a file by its name.
func typeOf(file string) string {
	if t := mime.TypeByExtension(filepath.Ext(file)); t != "" {
		return t
	}
	return "application/octet-stream"
}

// openSegments opens a body for reading. Files are opened when their turn
// comes.
func openSegments(segments []segment) (io.ReadCloser, error) {
	return &segmentReader{segments: segments}, nil
}

// segmentReader reads segments one after the other.
type segmentReader struct {
	segments []segment
	current  io.ReadCloser
	left     int64
}

// Read goes through the segments. A file that changes while it is sent is an
// error: its length was promised in the head, and a server would wait for the
// rest or take the next part for it.
func (r *segmentReader) Read(p []byte) (int, error) {
	for {
		if r.current == nil {
			if len(r.segments) == 0 {
				return 0, io.EOF
			}
			if err := r.next(); err != nil {
				return 0, err
			}
		}
		n, err := r.current.Read(p)
		// The length went out in the head already.
		if r.left -= int64(n); r.left < 0 {
			return 0, fmt.Errorf("a file has grown while it was sent")
		}
		if err == io.EOF {
			if err = r.close(); err == nil && r.left > 0 {
				err = io.ErrUnexpectedEOF // the file has shrunk
			}
		}
		if n > 0 || err != nil {
			return n, err
		}
	}
}

// next opens a file when its turn comes, so that a hundred files do not take a
// hundred descriptors, and an attempt that is refused early opens few.
func (r *segmentReader) next() error {
	s := r.segments[0]
	r.segments, r.left = r.segments[1:], s.size
	if s.file == "" {
		r.current = io.NopCloser(bytes.NewReader(s.data))
		return nil
	}
	f, err := os.Open(s.file)
	if err != nil {
		return err
	}
	r.current = f
	return nil
}

func (r *segmentReader) close() error {
	err := r.current.Close()
	r.current = nil
	return err
}

// Close closes the file that is open.
func (r *segmentReader) Close() error {
	r.segments = nil
	if r.current == nil {
		return nil
	}
	return r.close()
}

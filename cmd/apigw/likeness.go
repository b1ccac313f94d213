package main

import (
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/apigw-go/apigw/cmd/apigw/internal/report"
	"github.com/apigw-go/apigw/signer"
)

// likeness is what sign takes from the string that a gateway computed for a
// refused request, so that the two strings differ only where the requests do:
// nonce and timestamp of that request, and how its headers are written.
type likeness struct {
	nonce, timestamp, method string
	names                    []string // of signed headers, as they are written there
}

// readLikeness reads a refused answer: a file, or standard input for "-", in
// any form that explain reads, or the string alone.
func (in *invocation) readLikeness(file string) (likeness, error) {
	var data []byte
	var err error
	if file == "-" {
		data, err = readSome(in.stdin)
	} else {
		data, err = os.ReadFile(file)
	}
	if err != nil {
		return likeness{}, in.errorf("--like: %s", safeText(err))
	}
	r := report.Read(data[:min(len(data), report.MaxText)])
	message := r.Text
	if r.Best >= 0 {
		if m := r.Answers[r.Best].Header.Get("X-Ca-Error-Message"); m != "" {
			message = m
		}
	}
	text, ok := signer.ServerStringToSign(message)
	if !ok && isCutOut(message) {
		return likeness{}, in.cutOut("--like")
	}
	if !ok {
		return likeness{}, in.errorf("--like: the answer holds no string to sign (Server StringToSign:...); give the " +
			"one with which the gateway refused the signature")
	}
	return parseLikeness(text), nil
}

// parseLikeness reads the headers of a string to sign, whose line breaks are
// "#": five lines, then "name:value" until the path.
func parseLikeness(text string) (l likeness) {
	lines := strings.Split(text, "#")
	for _, line := range lines[min(5, len(lines)):] {
		name, value, ok := strings.Cut(line, ":")
		if !ok || !isToken(name) {
			break // the path
		}
		switch strings.ToLower(name) {
		case "x-ca-nonce":
			l.nonce = value
		case "x-ca-timestamp":
			l.timestamp = value
		case "x-ca-signature-method":
			l.method = value
		}
		l.names = append(l.names, name)
	}
	return l
}

// prepare puts on a request what decides which headers are signed.
func (l *likeness) prepare(req *http.Request) {
	if l.method != "" && req.Header.Get("X-Ca-Signature-Method") == "" {
		req.Header.Set("X-Ca-Signature-Method", l.method)
	}
}

// spell writes the names of the signed headers as the gateway has them.
func (l *likeness) spell(h http.Header) {
	if len(l.names) == 0 {
		return
	}
	var names []string
	for name := range strings.SplitSeq(h.Get("X-Ca-Signature-Headers"), ",") {
		if i := slices.IndexFunc(l.names, func(n string) bool { return strings.EqualFold(n, name) }); i >= 0 {
			name = l.names[i]
		}
		names = append(names, name)
	}
	h.Set("X-Ca-Signature-Headers", strings.Join(names, ","))
}

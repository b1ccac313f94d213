package signer

import (
	"io"
	"net/http"
	"time"

	"github.com/apigw-go/apigw/internal/resign"
)

// RoundTrip signs a clone of req and sends it through Base. It does not change
// req and closes its body, also when it fails.
//
// Where the gateway refuses the timestamp or the signature for a reason that
// another signature cures, see [Learned], RoundTrip sends the request once more
// for each of the two reasons, if the body can be replayed.
//
// Where the gateway refuses the signature and shows the string it computed,
// the response carries a [*Diagnosis], see [FromResponse].
//
// A body that is not a form and has a GetBody is read twice, once for
// Content-MD5. A form is read into memory, since its parameters are signed.
// A form without GetBody may have up to 1 MiB; a longer one is refused.
func (s *Signer) RoundTrip(req *http.Request) (*http.Response, error) {
	out, signed, err := s.signedClone(req)
	if err != nil {
		return nil, err
	}
	var before []resign.Refusal
	for {
		start := time.Now()
		resp, err := s.send(out)
		if err != nil || resp == nil {
			return resp, resign.WithRefused(err, before)
		}
		note := s.review(resp, out, signed)
		if note.Learned && taught(before, note.Lesson) {
			note.Learned = false // a loop
		}
		if note.Learned && replayable(out) {
			again := cloned(out)
			if resigned, err := s.replay(again); err == nil {
				before = append(before, resign.Refusal{
					Status: resp.StatusCode, Header: resp.Header, Start: start, Duration: time.Since(start),
					Lesson: note.Lesson,
				})
				discard(resp)
				out, signed = again, resigned
				continue
			}
		}
		note.Refused = before
		s.attach(resp, out, signed, note)
		return resp, nil
	}
}

// SendOnce is RoundTrip for a caller that retries: it sends req once and never
// again. Where a refusal taught the Signer something, such as the gateway's
// time, the next sending of the same request uses it. apigw.Transport calls it
// for a Signer that is its Base, so that each sending is one of its attempts.
func (s *Signer) SendOnce(req *http.Request) (*http.Response, error) {
	out, signed, err := s.signedClone(req)
	if err != nil {
		return nil, err
	}
	resp, err := s.send(out)
	if err == nil && resp != nil {
		s.attach(resp, out, signed, s.review(resp, out, signed))
	}
	return resp, err
}

// signedClone returns a clone of req with credentials. On an error it closes
// the body.
func (s *Signer) signedClone(req *http.Request) (*http.Request, signature, error) {
	out := cloned(req)
	signed, err := s.apply(out)
	if err != nil {
		closeBody(out)
	}
	return out, signed, err
}

// cloned is a clone that shares the trailer: whoever made the request fills it in
// while the body is read.
func cloned(req *http.Request) *http.Request {
	out := req.Clone(req.Context())
	out.Trailer = req.Trailer
	return out
}

func taught(before []resign.Refusal, lesson string) bool {
	for _, r := range before {
		if r.Lesson == lesson {
			return true
		}
	}
	return false
}

// replay gives a request that was sent before a fresh body and signature. When
// it fails there is nothing to close.
func (s *Signer) replay(req *http.Request) (signature, error) {
	if err := req.Context().Err(); err != nil {
		return signature{}, err
	}
	if req.GetBody != nil {
		body, err := req.GetBody()
		if err != nil {
			return signature{}, err
		}
		req.Body = body
	}
	signed, err := s.apply(req)
	if err != nil {
		closeBody(req)
	}
	return signed, err
}

// review learns from a refusal and says what the caller should know.
func (s *Signer) review(resp *http.Response, sent *http.Request, signed signature) (note resign.Note) {
	switch {
	case resp.StatusCode < 400:
	case signed.withheld.reason != allowed:
		note.Withheld = signed.withheld.String()
	case signed.text != nil && s.trusts(resp, sent):
		refused := refusalOf(resp)
		if s.learn(refused, resp, sent, signed) && (refused.proven || idempotent(sent)) {
			note.Learned, note.Lesson = true, resign.Clock
			if refused.lesson == lessonReading {
				note.Lesson = resign.Reading
			}
		}
	}
	return note
}

// learn keeps what a refusal teaches, or drops what it refutes. It reports
// whether another sending would differ.
func (s *Signer) learn(refused refusalRow, resp *http.Response, sent *http.Request, signed signature) (learned bool) {
	switch refused.lesson {
	case lessonClock, lessonTimestamp:
		offset, ok := correction(resp, s.localNow(), signed.offset)
		if refused.lesson == lessonTimestamp {
			offset, ok = 0, false // its form is wrong; no other time cures that
		}
		s.memory.change(sent, func(known *Learned) {
			if ok || known.ClockOffset == signed.offset {
				known.ClockOffset = offset
			}
		})
		return ok || signed.offset != 0
	case lessonReading:
		message, _ := lookup(resp.Header, "X-Ca-Error-Message")
		rules, ok := learnedReading(sent, signed, message)
		if ok {
			s.memory.change(sent, func(known *Learned) { known.Rules = &rules })
		} else if signed.learned != nil && !sameText(signed.text, message) {
			s.memory.change(sent, func(known *Learned) {
				if known.Rules == signed.learned {
					known.Rules = nil
				}
			})
		}
		return ok
	}
	return false
}

// trusts reports whether what a response says may be learned: it came over TLS
// that was verified, or from this machine, or the user allowed it.
func (s *Signer) trusts(resp *http.Response, sent *http.Request) bool {
	switch {
	case s.LearnOverPlainHTTP, s.staysHere(sent):
		return true
	case resp.TLS != nil && len(resp.TLS.VerifiedChains) == 0:
		return false
	}
	return sameName(sent.URL.Scheme, "https")
}

// idempotent reports whether a request may run twice by its method.
func idempotent(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodPut, http.MethodDelete, http.MethodOptions, http.MethodTrace:
		return true
	}
	return false
}

// discard reads the rest of a refused response, so that its connection can be
// used again, and closes it. Size and time are bounded: a body that drips must
// not hold up the second attempt.
func discard(resp *http.Response) {
	const maxBytes, maxTime = 4 << 10, 100 * time.Millisecond
	closeEarly := time.AfterFunc(maxTime, func() { resp.Body.Close() })
	_, _ = io.CopyN(io.Discard, resp.Body, maxBytes)
	if closeEarly.Stop() {
		resp.Body.Close()
	}
}

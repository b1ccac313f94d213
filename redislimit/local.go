package redislimit

import (
	"context"
	"errors"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/internal/pace"
)

// newLocal returns what paces while Redis is gone: it begins with the share that
// this process had, if a limit was known.
func (s *shared) newLocal() *pace.Queue {
	q := pace.NewQueue(s.now)
	if s.known.rate > 0 {
		q.Resume(s.known.rate/max(1, s.known.processes), s.known.window)
	}
	if s.declared.Calls > 0 {
		d := s.declared.Per
		if d <= 0 {
			d = time.Second
		}
		q.Declare(float64(s.declared.Calls), d)
	}
	return q
}

func (s *shared) acquireLocally(ctx context.Context, q *pace.Queue, until time.Duration, again bool) (*ticket, error) {
	place, err := q.Acquire(ctx, s.now(), until, again)
	if err == nil {
		return &ticket{of: s, local: q, place: place}, nil
	}
	if late := (*pace.LateError)(nil); errors.As(err, &late) {
		err = &apigw.NoPlaceError{Needed: late.Needed}
	}
	return nil, err
}

// askAgain asks whether Redis is back, once a second. Calls do not wait for it.
func (s *shared) askAgain(now time.Duration) {
	if now < s.retry || s.asking {
		return
	}
	s.retry = now + time.Second
	s.ask(now)
}

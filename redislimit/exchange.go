package redislimit

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/apigw-go/apigw/internal/pace"
)

// reply is what the script returned.
type reply struct {
	gate        pace.Gate
	now         float64 // microseconds on the clock of Redis
	rate        float64 // calls a second
	window      time.Duration
	processes   float64
	granted     int
	first, step float64 // of the places, in microseconds
	probe       bool
	again       float64 // ask again then, 0: at any time
	ahead       time.Duration
	guess       bool // the rate was not measured yet
}

// gap is the time between two calls of this process in nanoseconds, if it gets
// its share.
func (r *reply) gap() float64 { return max(1, r.processes) / r.rate * float64(time.Second) }

// ask calls the script in the background: it reports what happened and leases
// places for those who wait.
func (s *shared) ask(now time.Duration) {
	if s.asking {
		return
	}
	s.asking = true
	want := s.waiting.len()
	if len(s.places) > 0 {
		want = 0
	}
	told := s.notes
	s.notes = notes{}
	args := s.args(told, want)
	slow := time.AfterFunc(s.limiter.timeout(), func() { s.gone(nil) })
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), 2*s.limiter.timeout())
		defer cancel()
		answer, err := script.Run(ctx, s.limiter.Client, s.keys, args...).StringSlice()
		inTime := slow.Stop()
		r, err := parse(answer, err)
		if err != nil {
			s.gone(&told)
			return
		}
		s.answered(r, inTime)
	}()
}

func (s *shared) args(told notes, want int) []any {
	var clock int64
	if s.limiter.clock != nil {
		clock = s.limiter.clock()
	}
	ceiling, per := 0., 0.
	if s.declared.Calls > 0 {
		d := s.declared.Per
		if d <= 0 {
			d = time.Second
		}
		ceiling, per = float64(s.declared.Calls)/d.Seconds(), micros(d)
	}
	args := []any{
		clock, s.limiter.id, want, boolean(want > 0), number(ceiling), number(per),
		number(s.known.rate), number(micros(s.known.window)),
	}
	for _, n := range told.list {
		args = append(args, n.kind, number(n.first), number(n.last), n.count)
	}
	return args
}

func number(f float64) string { return strconv.FormatFloat(f, 'g', 17, 64) }

func boolean(b bool) int {
	if b {
		return 1
	}
	return 0
}

func parse(answer []string, err error) (r reply, _ error) {
	if err != nil {
		return r, err
	}
	const fields = 12
	if len(answer) != fields {
		return r, fmt.Errorf("redislimit: the script returned %d values, want %d", len(answer), fields)
	}
	var v [fields]float64
	var errs []error
	for i, text := range answer {
		f, err := strconv.ParseFloat(text, 64)
		v[i] = f
		errs = append(errs, err)
	}
	r = reply{
		now: v[0], gate: pace.Gate(v[1]), rate: v[2], window: microseconds(v[3]), processes: v[4], granted: int(v[5]),
		first: v[6], step: v[7], probe: v[8] != 0, again: v[9], ahead: microseconds(v[10]),
		guess: v[11] != 0,
	}
	return r, errors.Join(errs...)
}

func microseconds(f float64) time.Duration { return time.Duration(f * float64(time.Microsecond)) }

// answered takes over what the script said.
func (s *shared) answered(r reply, inTime bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	s.asking = false
	if inTime && s.local != nil {
		s.local = nil // Redis is back
	}
	if r.gate == pace.Closed && s.known.gate != pace.Closed {
		s.shut = now
	}
	s.known, s.synced = r, now
	s.skew = r.now - micros(now)
	s.dropVoid(now)
	for i := range r.granted {
		moment := r.first + float64(i)*r.step
		t := &ticket{of: s, sent: moment, at: s.localTime(moment), probe: r.probe && i == 0}
		s.places = append(s.places, t)
	}
	if r.granted > 0 {
		s.expires = max(now, s.places[len(s.places)-1].at) + r.ahead
	}
	s.askAt = now
	if r.again > 0 {
		s.askAt = max(now+time.Millisecond, s.localTime(r.again))
	}
	if r.gate == pace.Free {
		for s.waiting.len() > 0 {
			s.waiting.pop().give(s.ticket(now))
		}
	}
	s.advance(now)
}

// gone makes this process pace by itself. told is what could not be reported.
func (s *shared) gone(told *notes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if told != nil {
		s.asking = false
	}
	s.retry = now + time.Second
	if s.local == nil {
		s.local = s.newLocal()
	}
	s.places, s.notes = nil, notes{} // they would be old by then
	for s.waiting.len() > 0 {
		s.waiting.pop().give(&ticket{of: s, local: s.local})
	}
	s.wake(now, pace.Never)
}

package pacesim

import (
	"time"

	"github.com/apigw-go/apigw/internal/pace"
)

// Learned is a process that paces by a [pace.Line] of its own.
type Learned struct {
	pace.Line
	env    Env
	recent []time.Duration
	wakeAt time.Duration
	space  []*pace.Waiter
	calls  map[*pace.Waiter]*Call
}

// NewLearned returns one that declares a limit, or none if calls is 0.
func NewLearned(env Env, calls float64, per time.Duration) *Learned {
	l := &Learned{env: env, wakeAt: pace.Never, calls: map[*pace.Waiter]*Call{}}
	l.Declare(calls, per, env.Now())
	return l
}

func (l *Learned) Enter(c *Call) {
	w := &pace.Waiter{Until: c.Until, Again: c.Tries > 0}
	l.Line.Enter(l.env.Now(), w)
	l.calls[w] = c
	if w.State != pace.Waiting {
		l.release(w)
	}
	l.advance()
}

func (l *Learned) release(w *pace.Waiter) {
	c := l.calls[w]
	delete(l.calls, w)
	if w.State == pace.Late {
		c.Drop()
		return
	}
	c.Data = w.Call
	c.Send()
}

func (l *Learned) advance() {
	now := l.env.Now()
	released, next := l.Advance(now, l.space[:0])
	l.space = nil // release can come back here
	for _, w := range released {
		l.release(w)
	}
	l.space = released
	if next == pace.Never || next >= l.wakeAt && l.wakeAt > now {
		return
	}
	l.wakeAt = next
	l.env.Timer(next-now, func() {
		if l.wakeAt == next {
			l.wakeAt = pace.Never
			l.advance()
		}
	})
}

func (l *Learned) Answer(c *Call, passed bool) bool {
	now := l.env.Now()
	if passed {
		l.remember(c.Sent)
		l.Passed(c.Data.(pace.Call), now)
	} else {
		l.Refused(c.Data.(pace.Call), now, 0, len(l.recent))
	}
	l.advance()
	return true
}

// remember keeps what passed in the last two seconds, until a limit is known.
func (l *Learned) remember(sent time.Duration) {
	if l.State(0).Gate != pace.Free {
		return
	}
	l.recent = append(l.recent, sent)
	for l.recent[0] < sent-2*time.Second {
		l.recent = l.recent[1:]
	}
}

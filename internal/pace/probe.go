package pace

import "time"

const (
	// Probes are at least minSpacing apart, and the first follows a closing
	// by no more than maxSpacing.
	minSpacing = 20 * time.Millisecond
	maxSpacing = 250 * time.Millisecond
	// A probe without an answer is waited for this long, see patience.
	minPatience = 250 * time.Millisecond
	maxPatience = 2 * time.Second
	// margin lets a window end before it is probed.
	margin = 10 * time.Millisecond
	// maxRetryAfter bounds what a single answer can ask all callers for.
	maxRetryAfter = time.Minute
)

// spacing is the time between two calls, within bounds.
func (l *Learner) spacing() time.Duration {
	return min(max(l.timeFor(1), minSpacing), maxSpacing)
}

// patience is how long the answer to a probe is waited for. Refusals come at
// once, but a call that passes can take its backend long.
func (l *Learner) patience() time.Duration {
	return min(max(4*l.trip, minPatience), maxPatience)
}

// schedule sets the next probe after one was refused: at twice the time since
// the closing, but not past the moments by which a window must have ended.
func (l *Learner) schedule(now time.Duration) {
	next := max(now+l.spacing(), l.shut+2*(now-l.shut))
	if now-l.shut < 3*l.span() {
		next = min(next, now+l.span()/2) // others may be quicker
	}
	if turn := l.expectedTurn(); turn > now && turn < next {
		next = max(turn, now+minSpacing)
	}
	for _, u := range units {
		// A probe right before the end would be wasted.
		if end := l.shut + u + margin; end > now && end < next+minSpacing {
			next = max(end, now+minSpacing)
		}
	}
	l.due = next
}

// expectedTurn is when the window turns that the closing call fell into, 0 if
// none was seen to begin. Later turns are not predicted, or a refusal for ever
// would be probed once a window for ever.
func (l *Learner) expectedTurn() time.Duration {
	if l.opened == 0 {
		return 0
	}
	return l.opened + ((l.shut-l.opened)/l.span()+1)*l.span() + margin
}

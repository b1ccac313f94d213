package pace

import "time"

// State is what a Line knows at a moment.
type State struct {
	Gate    Gate
	Rate    float64 // calls a second; 0 while no limit is known
	Window  time.Duration
	Closed  time.Duration // how long the gate has been closed; 0 if it is not
	Waiting int
	Counts
}

// State returns what is known now.
func (l *Line) State(now time.Duration) State {
	s := State{Gate: l.gate, Rate: l.rate, Window: l.window, Waiting: l.Waiting(), Counts: l.counts}
	if l.gate == Closed {
		s.Closed = max(0, now-l.shut)
	}
	return s
}

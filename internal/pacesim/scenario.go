package pacesim

import (
	"math/rand/v2"
	"time"
)

// Limiter is what one process does about the limit.
type Limiter interface {
	// Enter calls send when the call may go, or drop if it gets no place in
	// time; at once or later.
	Enter(c *Call)
	// Answer reports what came of it. If the result is true, a refused call
	// enters again, else it has failed.
	Answer(c *Call, passed bool) (again bool)
}

// Call is one job of a process.
type Call struct {
	Start time.Duration // when it was wanted
	Until time.Duration // a place after that is no use
	Sent  time.Duration // last time
	Tries int
	Send  func()
	Drop  func()
	Data  any // the Limiter's
}

// Env is what a Limiter may use.
type Env struct {
	*Clock
	RNG *rand.Rand
	// Late is how late its timers are at most.
	Late time.Duration
	// Process is the number of the process, from 0.
	Process int
}

// Timer is After, as late as timers are here.
func (e Env) Timer(d time.Duration, do func()) {
	e.After(d+Span{0, e.Late}.draw(e.RNG), do)
}

// Scenario is one set of callers and a gateway.
type Scenario struct {
	Processes int // 0 means 1
	Workers   int // of each process; 0 means 50
	Jobs      int // of each process; 0 means endless
	// Limits are those of the gateway's nodes, each with its share of the
	// processes.
	Nodes int // 0 means 1
	Limit func(*rand.Rand) Limit
	// Warm is when the steady part begins, End the end of all.
	Warm, End time.Duration
	// RoundTrip is the time of both ways; the zero value means 5 to 50 ms.
	RoundTrip Span
	// Backend is what a call that passes takes on top.
	Backend Span
	Late    time.Duration
	// Wait is how long a call may wait for places; 0 means for ever.
	Wait time.Duration
	// Join, if not nil, is when a process begins.
	Join func(process int) time.Duration
	// Arrivals, if not nil and its result is not nil, makes the calls of a
	// process come by themselves instead of from workers.
	Arrivals func(process int) func(*rand.Rand) (gap time.Duration, calls int)
}

// Result is what was counted. The steady part is from Warm to End.
type Result struct {
	Passed, Refused, Dropped                   int
	SteadyPassed, SteadyRefused, SteadyDropped int
	PerProcess                                 []int           // passed in the steady part
	PassedAt, RefusedAt                        []time.Duration // at the gateway
	Waits                                      []time.Duration // of those that passed in the steady part
	Latest                                     time.Duration   // longest from start to answer or drop
	Finished                                   time.Duration   // the last job
}

// Goodput is the share of the best possible in the steady part.
func (r Result) Goodput(perSecond float64, s Scenario) float64 {
	return float64(r.SteadyPassed) / (perSecond * (s.End - s.Warm).Seconds())
}

// RefusedShare is the share of refused calls of the steady part.
func (r Result) RefusedShare() float64 {
	return float64(r.SteadyRefused) / max(1, float64(r.SteadyRefused+r.SteadyPassed))
}

// Jain is Jain's index of fairness: 1 if all processes got the same.
func (r Result) Jain() float64 { return Jain(r.PerProcess) }

// Jain of any counts.
func Jain(counts []int) float64 {
	var sum, squares float64
	for _, n := range counts {
		sum += float64(n)
		squares += float64(n) * float64(n)
	}
	if squares == 0 {
		return 0
	}
	return sum * sum / (float64(len(counts)) * squares)
}

// Run simulates the scenario with limiters that start makes.
func Run(s Scenario, seed uint64, start func(Env) Limiter) Result {
	rng := rand.New(rand.NewPCG(seed, 7))
	if s.RoundTrip == (Span{}) {
		s.RoundTrip = Span{5 * time.Millisecond, 50 * time.Millisecond}
	}
	s.Processes, s.Workers, s.Nodes = max(1, s.Processes), max(0, s.Workers), max(1, s.Nodes)
	if s.Workers == 0 {
		s.Workers = 50
	}
	sim := &run{Scenario: s, clock: new(Clock), rng: rng}
	sim.result.PerProcess = make([]int, s.Processes)
	nodes := make([]Limit, s.Nodes)
	for i := range nodes {
		nodes[i] = s.Limit(rng)
	}
	for i := range s.Processes {
		p := &process{run: sim, id: i, jobs: s.Jobs, gateway: nodes[i%len(nodes)]}
		p.limiter = start(Env{Clock: sim.clock, RNG: rng, Late: s.Late, Process: i})
		p.begin()
	}
	sim.clock.Run(s.End)
	return sim.result
}

type run struct {
	Scenario
	clock  *Clock
	rng    *rand.Rand
	result Result
}

func (r *run) steady() bool { return r.clock.now >= r.Warm }

type process struct {
	*run
	id      int
	jobs    int // left, where they are counted
	limiter Limiter
	gateway Limit
}

func (p *process) begin() {
	var join time.Duration
	if p.Join != nil {
		join = p.Join(p.id)
	}
	if p.Arrivals != nil {
		if arrivals := p.Arrivals(p.id); arrivals != nil {
			p.clock.After(join, func() { p.arrive(arrivals) })
			return
		}
	}
	for range p.Workers {
		p.clock.After(join+Span{0, 10 * time.Millisecond}.draw(p.rng), p.work)
	}
}

func (p *process) arrive(arrivals func(*rand.Rand) (time.Duration, int)) {
	gap, calls := arrivals(p.rng)
	for range calls {
		p.try(func() {})
	}
	p.clock.After(gap, func() { p.arrive(arrivals) })
}

// work is one worker: a job, then the next.
func (p *process) work() {
	if p.Jobs > 0 {
		if p.jobs == 0 {
			return
		}
		p.jobs--
	}
	p.try(p.work)
}

func (p *process) try(done func()) {
	now := p.clock.now
	c := &Call{Start: now, Until: 1<<63 - 1}
	if p.Wait > 0 {
		c.Until = now + p.Wait
	}
	c.Send = func() { p.send(c, done) }
	c.Drop = func() { p.drop(c, done) }
	p.limiter.Enter(c)
}

func (p *process) end(c *Call, local time.Duration, done func()) {
	p.result.Finished = p.clock.now
	p.result.Latest = max(p.result.Latest, p.clock.now-c.Start)
	p.clock.After(local, done)
}

func (p *process) drop(c *Call, done func()) {
	p.result.Dropped++
	if p.steady() {
		p.result.SteadyDropped++
	}
	p.end(c, time.Millisecond/10, done) // or it would spin
}

func (p *process) send(c *Call, done func()) {
	c.Sent = p.clock.now
	c.Tries++
	half := Span{p.RoundTrip.From / 2, p.RoundTrip.To / 2}
	p.clock.After(half.draw(p.rng), func() {
		passed := p.gateway.Admit(p.clock.now)
		p.count(c, passed)
		back := half.draw(p.rng)
		if passed {
			back += p.Backend.draw(p.rng)
		}
		p.clock.After(back, func() { p.answer(c, passed, done) })
	})
}

func (p *process) count(c *Call, passed bool) {
	r := &p.result
	if !passed {
		r.Refused++
		r.RefusedAt = append(r.RefusedAt, p.clock.now)
		if p.steady() {
			r.SteadyRefused++
		}
		return
	}
	r.Passed++
	r.PassedAt = append(r.PassedAt, p.clock.now)
	if p.steady() {
		r.SteadyPassed++
		r.PerProcess[p.id]++
		r.Waits = append(r.Waits, c.Sent-c.Start)
	}
}

func (p *process) answer(c *Call, passed bool, done func()) {
	again := p.limiter.Answer(c, passed)
	switch {
	case passed:
		p.end(c, 0, done)
	case again:
		p.limiter.Enter(c)
	default:
		p.drop(c, done)
	}
}

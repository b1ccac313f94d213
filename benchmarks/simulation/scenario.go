package simulation

import "time"

// Scenario is a fleet's fate, still without a rule.
type Scenario struct {
	Name  string
	Fleet Fleet
	// NewServer makes the server of one run for so many clients.
	NewServer func(clients int) *Server
	// Over is when what troubles the server ends; 0 if it does not.
	Over time.Duration
}

// Run lets a fleet of clients go through s under a rule. It must be called in a
// bubble of testing/synctest.
func (s Scenario) Run(rule Rule, clients int, seed uint64) (*Outcome, error) {
	f := s.Fleet
	f.Clients, f.Rule, f.Seed = clients, rule, seed
	f.Server = s.NewServer(clients)
	return f.Run()
}

// Outage is a server that fails all the time, each attempt after failAfter.
func Outage(name string, failAfter time.Duration, rate float64, lasts time.Duration) Scenario {
	return Scenario{
		Name:      name,
		Fleet:     Fleet{Rate: steady(rate), Lasts: lasts},
		NewServer: func(int) *Server { return &Server{Answer: failing(failAfter)} },
	}
}

// Blips is a server that fails one attempt in a hundred.
func Blips(rate float64, lasts time.Duration) Scenario {
	return Scenario{
		Name:      "1% blips",
		Fleet:     Fleet{Rate: steady(rate), Lasts: lasts},
		NewServer: func(int) *Server { return &Server{Answer: blipping(0.01)} },
	}
}

// Quiet is an outage for clients that send one request a minute.
func Quiet(lasts time.Duration) Scenario {
	s := Outage("outage, one request a minute", 0, 1.0/60, lasts)
	s.Fleet.Regular = true
	return s
}

// Parameters of Overload. One request a second of each client is 70 percent of
// what the server can do. A refusal costs half of a request, so four attempts
// for each request are 280 percent of the requests it can take and 140 percent
// of the refusals: enough to keep it down, while the 1.2 of a budget are not.
const (
	overloadRate    = 1.0
	overloadUse     = 0.7
	overloadSurge   = 2.0
	overloadRefusal = 0.5
)

// Overload is a server in health, then a surge of twice the requests, then
// the former number again.
func Overload(before, surge, after time.Duration) Scenario {
	return Scenario{
		Name: "overload",
		Fleet: Fleet{
			Rate: func(since time.Duration) float64 {
				if since >= before && since < before+surge {
					return overloadRate * overloadSurge
				}
				return overloadRate
			},
			Lasts: before + surge + after,
		},
		NewServer: func(clients int) *Server {
			s := &station{
				capacity:   OverloadCapacity(clients),
				refusal:    overloadRefusal,
				maxWait:    100 * time.Millisecond,
				maxBacklog: 200 * time.Millisecond,
			}
			return &Server{Answer: s.answer}
		},
		Over: before + surge,
	}
}

// OverloadCapacity is how many requests a second the server of Overload can
// take.
func OverloadCapacity(clients int) float64 { return float64(clients) * overloadRate / overloadUse }

func steady(rate float64) func(time.Duration) float64 {
	return func(time.Duration) float64 { return rate }
}

// Recovery is how long after Over goodput is full again and stays so: at least
// 98 of 100 requests succeed in each later second. False if it never is.
func (s Scenario) Recovery(o *Outcome) (time.Duration, bool) {
	over, end := int(s.Over/time.Second), int(s.Fleet.Lasts/time.Second)
	full := end
	for full > over && float64(o.Good.At(full-1)) >= 0.98*float64(o.Begun.At(full-1)) {
		full--
	}
	return time.Duration(full-over) * time.Second, full < end
}

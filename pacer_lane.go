package apigw

import (
	"sync/atomic"

	"github.com/apigw-go/apigw/catalog"
	"github.com/apigw-go/apigw/internal/pace"
)

// lane is where calls of one key go through. The wider queues are nil until a
// refusal names them.
type lane struct {
	name   string
	key    laneKey
	queues [scopes]atomic.Pointer[pace.Queue]
	quota  quotaHold
}

// laneKey is what calls share a lane by. The credential is hashed.
type laneKey struct {
	custom     string // the user's key; then only limit counts beside it
	host       string
	credential uint64 // 0: none is visible
	scope      string
	limit      RateLimit
}

// limited reports whether a limit of the lane is known.
func (l *lane) limited() bool {
	for i := range l.queues {
		if q := l.queues[i].Load(); q != nil && q.Limited() {
			return true
		}
	}
	return false
}

// pacerPlace is a place in each queue of a lane.
type pacerPlace struct {
	lane   *lane
	queues [scopes]*pace.Queue // nil: not passed
	places [scopes]pace.Place
}

// scope says what a limit is about. Calls pass their scopes from the narrow to
// the wide, since the narrow ones mostly make them wait longest.
type scope int

const (
	scopeOwn    scope = iota // host, credential and policy, or a key of the user
	scopeCaller              // host and credential
	scopeHost
	scopes
)

// scopeOf returns whose limit refused a call.
func scopeOf(e *catalog.Entry) scope {
	switch {
	case e == nil:
	case e.LimitsHost():
		return scopeHost
	case e.LimitsCaller():
		return scopeCaller
	}
	return scopeOwn
}

// Package redislimit is an [apigw.Limiter] that all processes of a program
// share over Redis: they learn one limit together, and are held back together.
// Without it each process learns its own share, which needs no Redis, but takes
// longer and is refused more often.
//
// If Redis is gone or slow, each process paces by itself, from what was known
// last. It is never an error, and calls do not wait for Redis longer than
// [Limiter.Timeout].
package redislimit

import (
	"cmp"
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/hex"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/redis/go-redis/v9"
)

// Limiter paces the calls of all processes that use the same Redis and Prefix.
// Set Client; the rest has defaults. It is safe for concurrent use. Do not change
// its fields after first use, and do not copy it.
type Limiter struct {
	// Client is a *redis.Client, *redis.ClusterClient or *redis.Ring. All keys
	// of a script call are in one slot. If nil, each process paces by itself.
	Client redis.Scripter
	// Prefix begins all keys in Redis. Empty means "apigw:limit:".
	Prefix string
	// Limit is what is declared for calls whose policy declares none, and for
	// those that do not come from a Transport. The zero value is none.
	Limit apigw.RateLimit
	// Timeout is how long Redis may take for one answer. After that this
	// process paces by itself, and asks again a second later. 0 means 100 ms.
	Timeout time.Duration

	mu   sync.Mutex
	id   string
	keys map[string]*shared

	clock func() int64 // of a test, in microseconds, in place of that of Redis
}

var _ apigw.Limiter = (*Limiter)(nil)

// maxKeys bounds the memory of a client that makes up keys. Those beyond share
// one.
const maxKeys = 1024

//go:embed learner.lua
var learner string

var script = redis.NewScript(learner)

// Learns says that refused calls are spaced here, so that the Transport does not
// make them wait by itself.
func (l *Limiter) Learns() bool { return true }

// Acquire implements [apigw.Limiter].
func (l *Limiter) Acquire(ctx context.Context, key string, until time.Time, again bool) (apigw.Place, error) {
	if err := ctx.Err(); err != nil {
		return apigw.Place{}, context.Cause(ctx)
	}
	if deadline, ok := ctx.Deadline(); ok && (until.IsZero() || deadline.Before(until)) {
		until = deadline
	}
	declared := apigw.DeclaredLimit(ctx)
	if declared.Calls <= 0 {
		declared = l.Limit
	}
	s := l.shared(key, declared)
	t, err := s.acquire(ctx, until, again)
	if err != nil {
		return apigw.Place{}, err
	}
	return apigw.Place{Value: t}, nil
}

// Done implements [apigw.Limiter].
func (l *Limiter) Done(place apigw.Place, outcome apigw.Outcome) {
	if t, ok := place.Value.(*ticket); ok {
		t.of.done(t, outcome, place.RetryAfter)
	}
}

// States returns what this process knows of every key, ordered by key. Refused,
// HeldBack and NoPlace count this process only.
func (l *Limiter) States() []apigw.PacerState {
	l.mu.Lock()
	all := make([]*shared, 0, len(l.keys))
	for _, s := range l.keys {
		all = append(all, s)
	}
	l.mu.Unlock()
	slices.SortFunc(all, func(a, b *shared) int { return a.serial - b.serial })
	states := make([]apigw.PacerState, 0, len(all))
	callers := map[string]int{}
	for _, s := range all {
		st := s.state()
		st.Key = shownKey(st.Key, callers)
		states = append(states, st)
	}
	slices.SortFunc(states, func(a, b apigw.PacerState) int { return cmp.Compare(a.Key, b.Key) })
	return states
}

// shared returns what is shared under a key.
func (l *Limiter) shared(key string, declared apigw.RateLimit) *shared {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.keys == nil {
		l.keys = map[string]*shared{}
		l.id = processID()
	}
	name := cmp.Or(key, "(no key)") // an empty tag would be none
	if declared.Calls > 0 {
		name += "|" + declared.String()
	}
	if len(l.keys) >= maxKeys && l.keys[name] == nil {
		name = "(other keys)"
	}
	s := l.keys[name]
	if s == nil {
		s = newShared(l, name, declared)
		s.serial = len(l.keys)
		l.keys[name] = s
	}
	return s
}

// shownKey replaces the hash of a credential, as keys of a Transport have it, by
// the number of the caller: an AppKey is short enough to be guessed from it.
func shownKey(key string, callers map[string]int) string {
	parts := strings.Split(key, "|")
	if len(parts) < 3 || len(parts[1]) != 16 || strings.Trim(parts[1], "0123456789abcdef") != "" {
		return key
	}
	n := callers[parts[1]]
	if n == 0 {
		n = len(callers) + 1
		callers[parts[1]] = n
	}
	parts[1] = "caller " + strconv.Itoa(n)
	return strings.Join(parts, "|")
}

// redisKeys are the keys of a limit. The braces keep them in one slot of a
// cluster.
func (l *Limiter) redisKeys(name string) []string {
	tagged := cmp.Or(l.Prefix, "apigw:limit:") + "{" + tagSafe(name) + "}"
	return []string{tagged, tagged + ":processes"}
}

// tagSafe takes out braces, which would end the tag.
func tagSafe(name string) string {
	b := []byte(name)
	for i, c := range b {
		if c == '{' || c == '}' {
			b[i] = '_'
		}
	}
	return string(b)
}

func (l *Limiter) timeout() time.Duration {
	if l.Timeout <= 0 {
		return 100 * time.Millisecond
	}
	return l.Timeout
}

func processID() string {
	var b [8]byte
	_, _ = rand.Read(b[:]) // it never fails
	return hex.EncodeToString(b[:])
}

package inspect

import (
	"encoding/json"
	"fmt"
	"net/http"
	"time"
)

// eventInterval is the least time between two events, so that ten thousand
// calls a second are ten events.
const eventInterval = 100 * time.Millisecond

// stalled is how long a page may take to read an event.
const stalled = 30 * time.Second

// update is an event: what changed since the last one.
type update struct {
	Calls   []summary `json:"calls,omitempty"`
	Oldest  uint64    `json:"oldest"` // calls before it are gone
	Samples []sample  `json:"samples,omitempty"`
}

// serveEvents sends what changes, as server-sent events, until the page leaves.
func (i *Inspector) serveEvents(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "text/event-stream")
	flush := http.NewResponseController(w)
	ticker := time.NewTicker(eventInterval)
	defer ticker.Stop()
	var version uint64
	var sampled int64
	for {
		var u update
		var changed []*entry
		changed, version, u.Oldest = i.ring.since(version)
		for _, e := range changed {
			u.Calls = append(u.Calls, e.summary())
		}
		if u.Samples = i.history.since(sampled); len(u.Samples) > 0 {
			sampled = u.Samples[len(u.Samples)-1].At
		}
		if len(u.Calls) > 0 || len(u.Samples) > 0 {
			data, _ := json.Marshal(u) // our own structs always encode
			flush.SetWriteDeadline(time.Now().Add(stalled))
			if _, err := fmt.Fprintf(w, "data: %s\n\n", data); err != nil || flush.Flush() != nil {
				return
			}
		}
		select {
		case <-r.Context().Done():
			return
		case <-ticker.C:
		}
	}
}

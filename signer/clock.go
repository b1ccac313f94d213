package signer

import (
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

// clock holds the difference between the gateway's clock and that of this
// machine, zero until a refused timestamp told it.
type clock struct {
	nanos atomic.Int64
}

func (c *clock) offset() time.Duration { return time.Duration(c.nanos.Load()) }

// minCorrection is the least difference that makes another attempt worth it.
// The gateway accepts 15 minutes either way; a timestamp that was refused and
// would move by seconds is refused again.
const minCorrection = time.Minute

// learn takes the gateway's time from the Date of a response. used is the
// offset that the refused request was signed with: another request may have
// learned the right one since, and this one must still be sent again.
func (c *clock) learn(resp *http.Response, localNow time.Time, used time.Duration) bool {
	date, err := http.ParseTime(resp.Header.Get("Date"))
	if err != nil {
		return false
	}
	offset := date.Sub(localNow)
	if (offset - used).Abs() < minCorrection {
		return false
	}
	c.nanos.Store(int64(offset))
	return true
}

// timestampRefused reports whether the gateway refused X-Ca-Timestamp for its
// age: "Timestamp Expired" of classic instances, S403TE of VPC-type ones.
// "Invalid Timestamp" is about its form, which the right time does not mend.
func timestampRefused(resp *http.Response) bool {
	if resp.StatusCode < 400 {
		return false
	}
	message := strings.ToLower(resp.Header.Get("X-Ca-Error-Message"))
	return trim(resp.Header.Get("X-Ca-Error-Code")) == "S403TE" ||
		strings.Contains(message, "timestamp expired") ||
		strings.Contains(message, "x-ca-timestamp is expired")
}

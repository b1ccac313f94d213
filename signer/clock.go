package signer

import (
	"net/http"
	"runtime/debug"
	"sync"
	"time"
)

const (
	// minCorrection is the least difference that makes another attempt worth
	// it. The gateway accepts 15 minutes either way; a timestamp that was
	// refused and would move by seconds is refused again.
	minCorrection = time.Minute

	// maxAhead bounds what one answer can do. A signature with a timestamp in
	// the future is good for whoever keeps it until then.
	maxAhead = 3 * time.Hour
)

// earliest is a time that no right clock shows any more: the build of this
// program, where that is known, or the edition of this package.
var earliest = sync.OnceValue(func() time.Time {
	edition := time.Date(2026, time.November, 1, 0, 0, 0, 0, time.UTC)
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return edition
	}
	for _, setting := range info.Settings {
		if setting.Key != "vcs.time" {
			continue
		}
		if built, err := time.Parse(time.RFC3339, setting.Value); err == nil && built.After(edition) {
			return built
		}
	}
	return edition
})

// plausible reports whether the time that a gateway showed may be taken from it.
func plausible(told, local time.Time) bool {
	switch {
	case told.UnixMilli() <= 0, told.Sub(local) > maxAhead:
		return false
	case local.Before(earliest()):
		// The clock of this machine is wrong itself, or a test's.
		return local.Sub(told) <= maxAhead
	}
	return !told.Before(earliest())
}

// gatewayTime is the time at which a response was made. A cache shows another.
func gatewayTime(resp *http.Response) (time.Time, bool) {
	date, n := lookup(resp.Header, "Date")
	if _, aged := lookup(resp.Header, "Age"); n != 1 || aged > 0 {
		return time.Time{}, false
	}
	told, err := http.ParseTime(trim(date))
	return told, err == nil
}

// correction returns the offset to this machine's clock that a refused
// timestamp teaches. It is false where it teaches none: then an offset that was
// in use is wrong, too.
func correction(resp *http.Response, local time.Time, used time.Duration) (offset time.Duration, ok bool) {
	told, ok := gatewayTime(resp)
	if !ok || !plausible(told, local) {
		return 0, false
	}
	if offset = told.Sub(local); (offset - used).Abs() < minCorrection {
		return 0, false // refused though the clocks agree
	}
	return offset, true
}

// timestamp is the time to sign, that of the gateway as far as it is known, and
// the offset in it. The clock of this machine may have moved since the offset
// was learned; one that is no longer plausible is not used.
func timestamp(local time.Time, offset time.Duration) (time.Time, time.Duration) {
	if told := local.Add(offset); offset != 0 && plausible(told, local) {
		return told, offset
	}
	return local, 0
}

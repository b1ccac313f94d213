package inspect

import "time"

// milliseconds is a duration as the page takes it, to the microsecond.
func milliseconds(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }

package apigw

import "time"

// monotonic is the time since the process began. Reading it costs half of
// time.Now, which counts on a path that costs little else.
func monotonic() time.Duration { return time.Since(processStart) }

var processStart = time.Now()

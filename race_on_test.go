//go:build race

package apigw

// raceEnabled: the race detector allocates, so allocations are counted without it.
const raceEnabled = true

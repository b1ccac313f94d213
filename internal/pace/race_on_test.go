//go:build race

package pace_test

// raceEnabled: the race detector makes the simulations slow.
const raceEnabled = true

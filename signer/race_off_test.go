//go:build !race

package signer

// raceEnabled says that the race detector adds allocations of its own.
const raceEnabled = false

//go:build race

package simulation

// The race detector makes the runs ten times as long.
const defaultClients = 500

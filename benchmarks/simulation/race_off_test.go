//go:build !race

package simulation

const defaultClients = 10_000

// Package faults sends signed requests through broken networks and broken
// gateways, and counts. It has no code to import.
//
// TestRandomWalk is deterministic: scripts drawn from a seed, on fake time. A
// failure prints its seed:
//
//	go test ./faults -run TestRandomWalk -walks 10000
//	go test ./faults -run TestRandomWalk -walks 1 -seed 1234 -v
//
// TestFaultProxy is on real sockets, with the server of toxiproxy between
// client and fake gateways:
//
//	go test ./faults -run TestFaultProxy -v -requests 100000
package faults

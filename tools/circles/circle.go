package main

import (
	"maps"
	"slices"
)

// circle is a set of files each of which needs every other, directly or by way
// of others.
type circle struct {
	files []string
	needs []need
}

type need struct{ from, to, names string }

func circlesOf(n needs) (circles []circle) {
	reach := map[string]map[string]bool{}
	for from := range n {
		reach[from] = reachable(n, from)
	}
	done := map[string]bool{}
	for _, first := range slices.Sorted(maps.Keys(n)) {
		if done[first] || !reach[first][first] {
			continue
		}
		var c circle
		for _, file := range slices.Sorted(maps.Keys(reach[first])) {
			if reach[file][first] {
				c.files = append(c.files, file)
				done[file] = true
			}
		}
		for _, from := range c.files {
			for _, to := range c.files {
				if n[from][to] != nil {
					c.needs = append(c.needs, need{from, to, n.names(from, to)})
				}
			}
		}
		circles = append(circles, c)
	}
	return circles
}

// reachable returns what a file needs, what that needs, and so on.
func reachable(n needs, from string) map[string]bool {
	seen := map[string]bool{}
	var visit func(string)
	visit = func(file string) {
		for to := range n[file] {
			if !seen[to] {
				seen[to] = true
				visit(to)
			}
		}
	}
	visit(from)
	return seen
}

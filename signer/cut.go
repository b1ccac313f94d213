package signer

import (
	"slices"
	"strings"
)

// completed fills up a gateway's string that was cut with what the client has
// there, so that only what arrived is compared. The last piece is not whole.
func completed(text string, client parts) string {
	pieces := strings.Split(text, "#")
	whole, last := pieces[:len(pieces)-1], pieces[len(pieces)-1]
	lines := append([]string{client.method}, client.fixed...)
	if n := len(whole); n < len(lines) && n <= len(standard) {
		return strings.Join(slices.Concat(whole, lines[n:], client.headerLines(nil), client.tail()), "#")
	}
	if path := slices.IndexFunc(pieces, isPath); path > len(standard) {
		tail := strings.Join(pieces[path:], "#")
		return strings.Join(append(pieces[:path:path], completedTail(tail, client)), "#")
	}
	if name, _, ok := strings.Cut(last, ":"); ok && findHeader(client.headers, nil, name) < 0 {
		whole = pieces // a header that the client does not have, as far as it arrived
	}
	return strings.Join(slices.Concat(whole, client.headerLines(whole), client.tail()), "#")
}

// headerLines are the lines of the signed headers that are not among others.
func (p parts) headerLines(others []string) (lines []string) {
	for _, h := range p.headers {
		there := slices.ContainsFunc(others, func(line string) bool {
			name, ok := headerName(line)
			return ok && sameName(name, strings.TrimSpace(h.name))
		})
		if !there {
			lines = append(lines, asTold(h.name+":"+h.value))
		}
	}
	return lines
}

// tail is the line with path and parameters, none if there is none.
func (p parts) tail() []string {
	switch {
	case !p.hasPath:
		return nil
	case p.query == "":
		return []string{asTold(p.path)}
	}
	return []string{asTold(p.path + "?" + p.query)}
}

// completedTail is completed for path and parameters.
func completedTail(tail string, client parts) string {
	path, query, hasQuery := strings.Cut(tail, "?")
	clients := asTold(client.query)
	if !hasQuery {
		if strings.HasPrefix(asTold(client.path), path) {
			path = asTold(client.path)
		}
		return strings.TrimSuffix(path+"?"+clients, "?")
	}
	kept := query[:strings.LastIndexByte(query, '&')+1]
	cut := query[len(kept):]
	if len(clients) > maxShortText {
		return path + "?" + query
	}
	// The client's parameters that are not among the whole ones.
	for at := 0; at <= len(clients); {
		piece, _, _ := strings.Cut(clients[at:], "&")
		if strings.HasPrefix(piece, cut) && !strings.Contains("&"+kept, "&"+piece+"&") {
			return path + "?" + kept + clients[at:]
		}
		at += len(piece) + 1
	}
	return path + "?" + query
}

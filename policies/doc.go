// Package policies chooses the retry policy of a request by patterns, and reads
// such policies from a file that can change while the program runs.
//
//	var p policies.Set
//	if err := p.Load("policies.json"); err != nil {
//		log.Fatal(err) // every fault of the file, with line, column and fix
//	}
//	client := &http.Client{Transport: &apigw.Transport{PolicyFor: p.For}}
//
// Patterns are those of [http.ServeMux], "[METHOD ][HOST]/[PATH]":
//
//	"/"                                  every request
//	"api.example.com/orders/"            this host, and all below /orders/
//	"POST api.example.com/orders/{id}"   one segment; POST only
//	"GET /files/{path...}"               the rest of the path; GET and HEAD
//	"/orders/{$}"                        exactly /orders/
//
// The most specific one wins, one with a host before one without. Two of which
// neither is more specific are refused. Requests are outgoing, so this differs:
//
//   - The host is Request.Host or, where that is empty, that of the URL. It
//     counts in any letter case, without port and without the dot that may end
//     it. A pattern may name no port.
//   - The path is matched as it will be sent, escapes decoded segment by
//     segment. It is not cleaned first, and /tree is not redirected to /tree/:
//     "/tree/" does not match it. A pattern must be clean and may not begin
//     with a scheme, since it would never match what it means.
//   - A host can have 4096 patterns, and there can be as many without a host.
package policies

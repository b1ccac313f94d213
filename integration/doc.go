// Package integration puts an apigw.Transport under the HTTP clients that
// people have and sends through a fake gateway on a real socket. It has no code
// to import: the tests are the content, one file for each client, and what they
// measured stands in RESULTS.md. One test needs a validator that the library
// shall not need: whether the JSON Schema of policy files agrees with the parser.
//
//	go test ./...                        # compares with RESULTS.md
//	go test -run TestClients . -update   # writes RESULTS.md
package integration

// Package gatewaytest is a fake Alibaba Cloud API gateway (阿里云 API 网关) for
// tests and demonstrations.
//
// A [Gateway] checks requests as the real one does: key, signature, timestamp,
// nonce, Content-MD5, AppCode, stage, method, path, protocol, origin, size,
// authorization, flow control, quota, circuit breaker, in this order. What it
// refuses it answers with the headers and the body of the catalog row, as a
// classic instance, a VPC-type instance, or a gateway of the newer generation
// with its [Plugins] would; what passes goes to a backend.
//
// A script per route says what goes wrong and when, so that a test reads
// "refused, then dropped, then served":
//
//	g := &gatewaytest.Gateway{Routes: []gatewaytest.Route{{
//		Pattern: "POST /orders",
//		Auth:    gatewaytest.AuthNone,
//		Script: []gatewaytest.Outcome{
//			{Error: "D504CO"},
//			{Drop: gatewaytest.DropAfterBackend},
//		},
//	}}}
//	s := gatewaytest.NewServer(g)
//	defer s.Close()
//	client.Post(s.URL+"/orders", ...)
//
// Afterwards the gateway says what it received and how often the backend ran:
// [Gateway.Counts], [Gateway.RouteCounts], [Gateway.IdentityCounts] and
// [Gateway.Log]. A script may come from a file too, see [ParseScript].
//
// Where the sources contradict each other, or say nothing, the gateway can be
// each of them: [Gateway.Readings] for the string to sign, [LimitKind] for the
// windows of limits.
//
// [NewServer], [NewTLSServer] and [NewHTTP2Server] serve on local sockets,
// [NewMemoryServer] within the bubble of a testing/synctest test, where hours
// of backing off take no time. [ErrorRows] answers with any row of the catalog
// on request.
//
// The order of the checks on the real gateway is not documented, and the rows
// of the catalog are verified to different degrees: what passes here is no
// proof for there.
package gatewaytest

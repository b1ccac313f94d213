// Package signer puts credentials on requests for Alibaba Cloud API Gateway
// (阿里云 API 网关) and for Higress hmac-auth: the X-Ca-* signature made of
// AppKey and AppSecret, or an AppCode. When a gateway refuses a signature, it
// says which part of the request differs and why.
//
// A [Signer] is an [http.RoundTripper]:
//
//	client := &http.Client{Transport: &signer.Signer{
//		AppKey:    "203753385",
//		AppSecret: signer.Secret(os.Getenv("APP_SECRET")),
//		Hosts:     []string{"api.example.com"},
//	}}
//	resp, err := client.Get("https://api.example.com/v1/weather?city=hz")
//	if err != nil { ... }
//	defer resp.Body.Close()
//	if d, ok := signer.FromResponse(resp); ok {
//		log.Print(d) // signature refused: Accept differs (signed nothing, gateway 3 bytes): ...
//	}
//
// Put it under what retries requests, so that every attempt has its own nonce,
// timestamp and signature. [Signer.Sign] does the same for a request that was
// signed further up, as a hook before each retry.
//
// # What is signed
//
// The rules are those of help page 29475: method, Accept, Content-MD5,
// Content-Type, Date, the X-Ca-* headers of the signature, the path as it is
// on the wire, and the decoded parameters of query and form. What the
// documentation leaves open is decided so:
//
//   - Header names are signed in lower case, which the gateways known here take.
//   - A signed header with several values is refused, because gateways differ.
//   - A parameter with one value in the query and another in the form is signed
//     with the form's, as most clients do.
//   - Nothing is invented: a request without an Accept is signed and sent
//     without one.
//   - Of a query that [net/url.ParseQuery] refuses, ";" is an ordinary
//     character, and a broken escape is taken literally.
//
// # What is learned
//
// Gateways differ in what the documentation leaves open, and nobody can ask them
// beforehand. But a refusal says enough. Where the gateway refuses a timestamp,
// the Signer takes the time from the Date of the response. Where it refuses a
// signature and shows the string that it computed, and that string is what
// another known reading ([Rules]) gives for the same request, to the letter, the
// Signer takes that reading. It keeps both for the host, signs the request once
// more, and does not guess.
//
// One answer must not do harm. So a host teaches about itself alone; over TLS or
// from this machine, unless LearnOverPlainHTTP; no time more than three hours
// ahead, for which others could keep a signed request, and none before this
// program was built; only by a response that is a known refusal by status, code
// and whole text; and what is refused itself is dropped. [Signer.Learned] shows
// what was learned, [Signer.Forget] drops it.
//
// # For gateways and tools
//
// [StringToSign], [Verify] and [Algorithm.Signature] are the same rules as
// pure functions, for a server that checks signatures. [Diagnose] compares two
// strings without a request at hand, and knows the mistakes of people who build
// the string themselves. [DiagnoseSent] does it for a request.
package signer

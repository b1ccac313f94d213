// Package proxied runs the command "apigw proxy" as a process, before a fake
// gateway, and calls it as people do: with curl, Python and Node, and with a
// real browser that opens the page.
package proxied

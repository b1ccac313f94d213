// Package served runs the command "apigw gateway" as a process and calls it
// over TLS with the client that Alibaba Cloud publishes for Node, which knows
// nothing of this project.
package served

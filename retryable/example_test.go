package retryable_test

import (
	"fmt"
	"io"
	"log"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/retryable"
	"github.com/hashicorp/go-retryablehttp"
)

// soon is a policy that does not keep a reader waiting.
var soon = apigw.RetryPolicy{InitialBackoff: 1, MaxBackoff: 1}

func ExampleNewClient() {
	server := gatewaytest.NewMemoryServer(&gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}, {Status: 200, Body: "fine"}},
	}}})
	defer server.Close()
	base := server.Transport()

	client := retryable.NewClient(&apigw.Transport{Base: base, Policy: soon})

	resp, err := client.Get(server.URL)
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	fmt.Println(resp.StatusCode, string(body))
	// Output:
	// 200 fine
}

// A program that has a client already keeps its settings.
func ExampleInstall() {
	server := gatewaytest.NewMemoryServer(&gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "classic.quota-exhausted"}},
	}}})
	defer server.Close()
	base := server.Transport()

	client := retryablehttp.NewClient()
	client.Logger = nil
	client.HTTPClient.Transport = base // connections, or a signer
	retryable.Install(client, &apigw.Transport{})

	resp, err := client.Get(server.URL)
	if err != nil {
		log.Print(err)
		return
	}
	defer resp.Body.Close()
	if gwErr, ok := apigw.FromResponse(resp); ok {
		fmt.Println(gwErr.SafeMessage(), len(gwErr.Attempts), gwErr.Stop)
	}
	// Output:
	// Quota Exhausted 1 not-retryable
}

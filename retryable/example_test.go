package retryable_test

import (
	"fmt"
	"io"
	"log"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/gatewaytest"
	"github.com/apigw-go/apigw/retryable"
	"github.com/hashicorp/go-retryablehttp"
)

func ExampleNewClient() {
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "D504CO"}, {Status: 200, Body: "fine"}},
	}}})
	defer server.Close()

	client := retryable.NewClient(&apigw.Transport{Policy: apigw.RetryPolicy{InitialBackoff: 100 * time.Millisecond}})

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
	server := gatewaytest.NewServer(&gatewaytest.Gateway{Routes: []gatewaytest.Route{{
		Pattern: "/", Auth: gatewaytest.AuthNone,
		Script: []gatewaytest.Outcome{{Error: "classic.quota-exhausted"}},
	}}})
	defer server.Close()

	client := retryablehttp.NewClient()
	client.Logger = nil
	retryable.Install(client, &apigw.Transport{}) // Base nil: the transport that the client has

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

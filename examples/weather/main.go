package main

import (
	"errors"
	"io"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/signer"
)

func main() {
	if len(os.Args) != 2 {
		log.Fatal("give the URL of an API")
	}
	client := &http.Client{Transport: &apigw.Transport{
		Base: &signer.Signer{ // below the Transport: each attempt is signed afresh
			AppCode: signer.Secret(os.Getenv("APIGW_APP_CODE")), // or AppKey and AppSecret
			Hosts:   []string{"api.example.com", "127.0.0.1:*"}, // nobody else sees the credentials
		},
		Policy: apigw.RetryPolicy{AttemptTimeout: 5 * time.Second, MaxThrottleWait: 30 * time.Second},
	}}
	resp, err := client.Get(os.Args[1])
	if err != nil {
		log.Fatal(err) // no response at all, and why
	}
	defer resp.Body.Close()
	if failure, ok := apigw.FromResponse(resp); ok { // decoded, whatever wrapped the response since
		if errors.Is(failure, apigw.ErrQuota) {
			log.Fatal("buy more calls: ", failure)
		}
		log.Fatal(failure) // code, meaning, what to do, request id, attempts, why no further one
	}
	io.Copy(os.Stdout, resp.Body)
}

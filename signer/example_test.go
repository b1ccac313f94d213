package signer_test

import (
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/apigw-go/apigw/signer"
)

// A request that is signed without being sent shows what would go out.
func ExampleSigner_Sign() {
	s := &signer.Signer{
		AppKey:    "203753385",
		AppSecret: "123456",
		Hosts:     []string{"api.example.com"},
		Stage:     "TEST",
		Now:       func() time.Time { return time.UnixMilli(1525872629832) },
		NewNonce:  func() string { return "c9f15cbf-f4ac-4a6c-b54d-f51abf4b5b44" },
	}
	req, err := http.NewRequest("GET", "https://api.example.com/v1/weather?lang=zh&city=hz", nil)
	if err != nil {
		fmt.Println(err)
		return
	}
	if err := s.Sign(req); err != nil {
		fmt.Println(err)
		return
	}
	text := signer.StringToSign(req, nil, signer.Rules{})
	fmt.Println(strings.ReplaceAll(text, "\n", "#")) // as gateways write it
	fmt.Println(req.Header.Get("X-Ca-Signature-Headers"))
	// Output:
	// GET#####x-ca-key:203753385#x-ca-nonce:c9f15cbf-f4ac-4a6c-b54d-f51abf4b5b44#x-ca-stage:TEST#x-ca-timestamp:1525872629832#/v1/weather?city=hz&lang=zh
	// x-ca-key,x-ca-nonce,x-ca-stage,x-ca-timestamp
}

// Wrong settings are reported by the first request, before it is sent.
func ExampleError() {
	s := &signer.Signer{AppKey: "203753385", AppSecret: "123456\n", Hosts: []string{"api.example.com"}}
	_, err := (&http.Client{Transport: s}).Get("https://api.example.com/v1/weather")
	fmt.Println(err)
	// Output:
	// Get "https://api.example.com/v1/weather": signer: AppSecret begins or ends with a blank or a newline; trim it, for example with strings.TrimSpace
}

func ExampleDiagnose() {
	signed := "GET\n\n\n\n\nx-ca-key:203753385\n/v1/weather?city=hz"
	message := "Invalid Signature, Server StringToSign:`GET#*/*####x-ca-key:203753385#/v1/weather?city=hz`"
	if d, ok := signer.Diagnose(signed, message); ok {
		fmt.Println(d)
	}
	// Output:
	// signature refused: Accept differs (signed nothing, gateway 3 bytes): no Accept was signed, and one arrived: HTTP clients add it by themselves; set Accept on the request, and sign it
}

func ExampleSecret() {
	s := &signer.Signer{AppKey: "203753385", AppSecret: "123456"}
	fmt.Printf("%v %+v\n", s.AppSecret, []signer.Secret{s.AppSecret})
	// Output:
	// *** [***]
}

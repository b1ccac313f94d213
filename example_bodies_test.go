package apigw_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"github.com/apigw-go/apigw"
)

// A refusal dressed as a success is one only where the policy says so.
func ExampleSuccessMark() {
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Fc-Error-Type", "UnhandledInvocationError")
		io.WriteString(w, `{"errorMessage":"division by zero","errorType":"ZeroDivisionError"}`)
	}))
	defer function.Close()

	client := &http.Client{Transport: &apigw.Transport{Policy: apigw.RetryPolicy{
		SuccessMarks: []apigw.SuccessMark{
			{Header: "X-Fc-Error-Type"},
			{JSONField: "code", JSONValue: "-1"},
		},
	}}}
	resp, err := client.Get(function.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	e, failed := apigw.FromResponse(resp)
	fmt.Println(resp.StatusCode, failed, e.Entry.Meaning.EN)
	// Output: 200 true the function failed with an error that it does not handle
}

// The newer generations of the gateway write their errors into the body.
func ExampleClassifyBody() {
	e, _ := apigw.ClassifyBody(429, nil, []byte("Replay Attack Detected"))
	fmt.Println(e.Entry.ID, e.Entry.Class)
	fmt.Println(e.Entry.Meaning.EN)
	// Output:
	// higress.replay-attack-detected replay
	// the nonce was used before (no rate limit, in spite of the 429)
}

package apigw_test

import (
	"fmt"
	"net/http"

	"github.com/apigw-go/apigw"
)

func ExampleServices() {
	services := new(apigw.Services)
	err := services.Set(apigw.Policies{Services: map[string]apigw.RetryPolicy{
		"api.example.com/":            {MaxAttempts: 6},
		"POST api.example.com/orders": {MaxAttempts: 1},
	}})
	if err != nil {
		panic(err)
	}
	// Goes into Transport.Services. Another Set, at any time, changes the
	// policies of later requests.
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		req, _ := http.NewRequest(method, "https://api.example.com:8443/orders?n=1", nil)
		policy, pattern, _ := services.Match(req)
		fmt.Println(method, pattern, policy.MaxAttempts)
	}
	// Output:
	// GET api.example.com/ 6
	// POST POST api.example.com/orders 1
}

func ExampleParsePolicies() {
	_, err := apigw.ParsePolicies("policies.json", []byte(`{
  "default": {"maxAttempt": 3},
  "services": {
    "GET /orders/{id}": {"initialBackoff": "250ms"},
    "GET /orders/{n}": {}
  }
}`))
	fmt.Println(err)
	// Output:
	// policies.json:2:15: unknown field "maxAttempt": did you mean "maxAttempts"?
	// policies.json:4:44: initialBackoff is "250ms": write seconds, such as "0.25s"
	// policies.json:5:5: pattern "GET /orders/{n}" and "GET /orders/{id}" in line 4 conflict: GET /orders/{n} matches the same requests as GET /orders/{id}: take one out, or make it more specific
}

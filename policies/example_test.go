package policies_test

import (
	"fmt"
	"log"
	"net/http"

	"github.com/apigw-go/apigw"
	"github.com/apigw-go/apigw/policies"
)

func ExampleSet_Replace() {
	var set policies.Set
	err := set.Replace(policies.File{Services: map[string]apigw.RetryPolicy{
		"api.example.com/":            {MaxAttempts: 6},
		"POST api.example.com/orders": {MaxAttempts: 1},
	}})
	if err != nil {
		panic(err)
	}
	// set.For goes into Transport.PolicyFor. Another Replace, at any time,
	// changes the policies of later requests.
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		req, _ := http.NewRequest(method, "https://api.example.com:8443/orders?n=1", nil)
		policy, pattern, _ := set.Match(req)
		fmt.Println(method, pattern, policy.MaxAttempts)
	}
	// Output:
	// GET api.example.com/ 6
	// POST POST api.example.com/orders 1
}

func ExampleParse() {
	_, err := policies.Parse("policies.json", []byte(`{
  "default": {"maxAttempt": 3},
  "services": {
    "GET /orders/{id}": {"initialBackoff": 0.25},
    "POST orders": {}
  }
}`))
	fmt.Println(err)
	// Output:
	// policies.json:2:15: unknown field "maxAttempt": did you mean "maxAttempts"?
	// policies.json:4:44: initialBackoff is a number: write a string with a unit, such as "250ms"
	// policies.json:5:5: pattern "POST orders": a pattern has a path: write "orders/" for a host, "/orders" for a path
}

// clientWith returns a client whose policies come from a file.
func clientWith(file string) (*http.Client, error) {
	var set policies.Set
	if err := set.Load(file); err != nil {
		return nil, err // every fault, as file:line:column: fault: fix
	}
	return &http.Client{Transport: &apigw.Transport{PolicyFor: set.For}}, nil
}

// Policies from a file. Load may be called again at any time: requests in
// flight end under the policy that they began with.
func ExampleSet_Load() {
	client, err := clientWith("../cmd/apigw/testdata/policy.json")
	if err != nil {
		log.Print(err)
		return
	}
	req, err := http.NewRequest(http.MethodPost, "https://api.example.com/orders", nil)
	if err != nil {
		log.Print(err)
		return
	}
	fmt.Println(client.Transport.(*apigw.Transport).PolicyFor(req).MaxAttempts)
	// Output:
	// 1
}

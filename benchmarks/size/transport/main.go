// Command transport is command plain with a Transport of apigw.
package main

import (
	"fmt"
	"net/http"
	"os"

	"github.com/apigw-go/apigw"
)

func main() {
	client := &http.Client{Transport: &apigw.Transport{}}
	resp, err := client.Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(resp.Status)
}

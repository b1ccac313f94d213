// Command plain is a program that only gets a page, to compare with.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	resp, err := http.Get(os.Args[1])
	if err != nil {
		panic(err)
	}
	fmt.Println(resp.Status)
}

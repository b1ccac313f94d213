package inspect

import (
	"net/http"

	"github.com/apigw-go/apigw/signer"
)

// signatureView is why a signature was refused.
type signatureView struct {
	Text string `json:"text"` // what differs and why
}

// signatureOf returns the diagnosis of a refused signature, nil if there is
// none.
func signatureOf(resp *http.Response) *signatureView {
	d, ok := signer.FromResponse(resp)
	if !ok {
		return nil
	}
	return &signatureView{Text: d.String()}
}

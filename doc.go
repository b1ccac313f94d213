// Package apigw makes programs that call APIs on Alibaba Cloud API Gateway
// (阿里云 API 网关) survive and explain failures.
//
// [Transport] is an [http.RoundTripper]. It sends a request, reads what the
// gateway says about a failure in the X-Ca-* response headers, retries what a
// later attempt can cure and returns everything else at once:
//
//	client := &http.Client{Transport: &apigw.Transport{}}
//	resp, err := client.Get("https://api.example.com/v1/weather?city=hz")
//	if err != nil {
//		return err // no response at all
//	}
//	defer resp.Body.Close()
//	if gwErr, ok := apigw.FromResponse(resp); ok {
//		switch {
//		case errors.Is(gwErr, apigw.ErrThrottled): // slow down
//		case errors.Is(gwErr, apigw.ErrQuota): // buy more calls
//		}
//		log.Print(gwErr) // code, meaning, remedy, request id, attempts, why no more
//	}
//
// A response of any status comes back with a nil error, the last one with its
// body whole. An error means that there is no response.
//
// Sign below the transport, so that every attempt carries its own nonce and
// timestamp: put a [github.com/apigw-go/apigw/signer.Signer] into
// [Transport.Base]. The known failures stand in
// [github.com/apigw-go/apigw/catalog]; a gateway to test against is in
// [github.com/apigw-go/apigw/gatewaytest]. Policies by service, also from a
// file, are in [github.com/apigw-go/apigw/policies], clients of
// go-retryablehttp in [github.com/apigw-go/apigw/retryable], and the contract of
// a RoundTripper, for anybody's, in [github.com/apigw-go/apigw/roundtrippertest].
package apigw

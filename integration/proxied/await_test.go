package proxied

import "github.com/chromedp/cdproto/runtime"

// awaitPromise makes a script's result that of its promise.
func awaitPromise(p *runtime.EvaluateParams) *runtime.EvaluateParams {
	return p.WithAwaitPromise(true)
}

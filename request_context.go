package apigw

import "context"

type requestKey struct{}

// perRequest is what a request's context carries for the Transport.
type perRequest struct {
	policy   *RetryPolicy
	recorder *Recorder
}

func fromContext(ctx context.Context) perRequest {
	v, _ := ctx.Value(requestKey{}).(*perRequest)
	if v == nil {
		return perRequest{}
	}
	return *v
}

// WithPolicy returns a context whose requests follow policy, whatever the
// [Transport] says.
func WithPolicy(ctx context.Context, policy RetryPolicy) context.Context {
	v := fromContext(ctx)
	policy = policy.clone()
	v.policy = &policy
	return context.WithValue(ctx, requestKey{}, &v)
}

// WithRecorder returns a context whose requests report to the Recorder.
func WithRecorder(ctx context.Context) (context.Context, *Recorder) {
	v := fromContext(ctx)
	v.recorder = new(Recorder)
	return context.WithValue(ctx, requestKey{}, &v), v.recorder
}

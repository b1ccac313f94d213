package apigw

import (
	"time"

	"github.com/apigw-go/apigw/catalog"
	"go.uber.org/zap/zapcore"
)

// Attempt is one sending of a request.
type Attempt struct {
	Number   int           // 1 for the first
	Start    time.Time     // when it was sent
	Duration time.Duration // until the response head or the failure
	Wait     time.Duration // the pause before it
	Status   int           // 0 without a response
	// Code, Message and RequestID are the gateway's, as received; empty
	// where it sent none.
	Code      catalog.Code
	Message   string
	RequestID string
	Err       error // why there was no response, else nil
}

type attempts []Attempt

func (a attempts) MarshalLogArray(enc zapcore.ArrayEncoder) error {
	for i := range a {
		if err := enc.AppendObject(&a[i]); err != nil {
			return err
		}
	}
	return nil
}

// MarshalLogObject implements [zapcore.ObjectMarshaler]. The message is left
// out: it may hold what must not be logged.
func (a *Attempt) MarshalLogObject(enc zapcore.ObjectEncoder) error {
	enc.AddInt("attempt", a.Number)
	enc.AddDuration("wait", a.Wait)
	enc.AddDuration("duration", a.Duration)
	if a.Status != 0 {
		enc.AddInt("status", a.Status)
	}
	if a.Code != "" {
		enc.AddString("code", clean(string(a.Code), 32))
	}
	if a.RequestID != "" {
		enc.AddString("request_id", clean(a.RequestID, 64))
	}
	if a.Err != nil {
		enc.AddString("cause", safeText(a.Err))
	}
	return nil
}

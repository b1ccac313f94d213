package otelapigw

import (
	"context"
	"errors"

	"github.com/apigw-go/apigw"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/metric"
)

// limitKey names a call limit: the host, and as far as they tell limits apart
// the number of the caller, the scope and the declared limit.
const limitKey = attribute.Key("apigw.limit.key")

// limitInstruments show what is known of the call limits.
type limitInstruments struct {
	rate, closed               metric.Float64ObservableGauge
	waiting                    metric.Int64ObservableGauge
	refused, heldBack, noPlace metric.Int64ObservableCounter
}

func newLimitInstruments(m metric.Meter) (l limitInstruments, _ error) {
	var errs [6]error
	l.rate, errs[0] = m.Float64ObservableGauge("apigw.client.limit.rate", metric.WithUnit("{call}/s"),
		metric.WithDescription("Calls a second that are let go: the limit that was learned."))
	l.closed, errs[1] = m.Float64ObservableGauge("apigw.client.limit.closed", metric.WithUnit("s"),
		metric.WithDescription("How long the limit has been used up, 0 while calls go."))
	l.waiting, errs[2] = m.Int64ObservableGauge("apigw.client.limit.waiting", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that wait for their turn."))
	l.refused, errs[3] = m.Int64ObservableCounter("apigw.client.limit.refused", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that the gateway refused because of the limit."))
	l.heldBack, errs[4] = m.Int64ObservableCounter("apigw.client.limit.held_back", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that had to wait for their turn."))
	l.noPlace, errs[5] = m.Int64ObservableCounter("apigw.client.limit.no_place", metric.WithUnit("{call}"),
		metric.WithDescription("Calls that were not sent because no turn came in time."))
	return l, errors.Join(errs[:]...)
}

func (l limitInstruments) all() []metric.Observable {
	return []metric.Observable{l.rate, l.closed, l.waiting, l.refused, l.heldBack, l.noPlace}
}

// observeLimits reads the states of all limits that are known, whenever metrics
// are collected. A key that was never refused has no series.
func (in *instruments) observeLimits(t *apigw.Transport) (metric.Registration, error) {
	l, err := newLimitInstruments(in.meter)
	if err != nil {
		return nil, err
	}
	return in.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range t.Limits() {
			if s.Rate == 0 {
				continue
			}
			at := in.with([]attribute.KeyValue{limitKey.String(s.Key)})
			o.ObserveFloat64(l.rate, s.Rate, at)
			o.ObserveFloat64(l.closed, s.Closed.Seconds(), at)
			o.ObserveInt64(l.waiting, int64(s.Waiting), at)
			o.ObserveInt64(l.refused, int64(s.Refused), at)
			o.ObserveInt64(l.heldBack, int64(s.HeldBack), at)
			o.ObserveInt64(l.noPlace, int64(s.NoPlace), at)
		}
		return nil
	}, l.all()...)
}

// registrations end together.
type registrations struct {
	metric.Registration
	second metric.Registration
}

func (r registrations) Unregister() error {
	return errors.Join(r.Registration.Unregister(), r.second.Unregister())
}

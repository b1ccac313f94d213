package otelapigw

import (
	"context"
	"errors"
	"net"
	"strings"

	"github.com/apigw-go/apigw"
	"go.opentelemetry.io/otel/metric"
)

// observeBudget reads the state of all hosts whenever metrics are collected.
func (in *instruments) observeBudget(t *apigw.Transport) (metric.Registration, error) {
	requests, err1 := in.meter.Int64ObservableGauge("apigw.client.retry_budget.requests", metric.WithUnit("{request}"),
		metric.WithDescription("Requests to the host in the last 5 to 10 seconds."))
	retries, err2 := in.meter.Int64ObservableGauge("apigw.client.retry_budget.retries", metric.WithUnit("{retry}"),
		metric.WithDescription("Retries paid with what these requests earned, and not successful so far."))
	available, err3 := in.meter.Float64ObservableGauge("apigw.client.retry_budget.available",
		metric.WithUnit("{retry}"),
		metric.WithDescription("Retries that the budget of the host would permit now."))
	denied, err4 := in.meter.Int64ObservableCounter("apigw.client.retry_budget.denied", metric.WithUnit("{retry}"),
		metric.WithDescription("Retries that the budget of the host refused."))
	if err := errors.Join(err1, err2, err3, err4); err != nil {
		return nil, err
	}
	return in.meter.RegisterCallback(func(_ context.Context, o metric.Observer) error {
		for _, s := range t.Budgets() {
			// The host as in the URL: a port is there only if it was said.
			host, port, err := net.SplitHostPort(s.Host)
			if err != nil {
				host, port = strings.Trim(s.Host, "[]"), ""
			}
			if !in.places.has(place{host, port, ""}) {
				continue // hosts without a series of their own would overwrite each other
			}
			at := in.with(server(host, port, ""))
			o.ObserveInt64(requests, int64(s.Requests), at)
			o.ObserveInt64(retries, int64(s.Retries), at)
			o.ObserveFloat64(available, s.Available, at)
			o.ObserveInt64(denied, int64(s.Denied), at)
		}
		return nil
	}, requests, retries, available, denied)
}

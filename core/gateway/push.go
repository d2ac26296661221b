package gateway

import (
	"reflect"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/telemetry"
)

// metricPush is what sends metrics, if anything does. It is guarded by Gateway.mu.
type metricPush struct {
	running *telemetry.MetricPush
	made    config.Metrics // what it was made of
}

// MetricOptions say what the gateway tells of itself.
func (g *Gateway) MetricOptions() telemetry.MetricOptions {
	o := telemetry.MetricOptions{Collect: g.Metrics, Version: g.Version, Service: "sallyport"}
	if s := g.current.Load(); s != nil {
		o.Service = s.Config.Metrics.ServiceName
	}
	return o
}

// updatePush sends metrics as the config, which is in force, wants it. The caller holds mu.
func (g *Gateway) updatePush(cfg *config.Config) {
	if reflect.DeepEqual(g.push.made, cfg.Metrics) {
		return
	}
	if g.push.running != nil {
		go g.closePush(g.push.running) // whoever waits for the reload need not wait for a dead collector
		g.push.running = nil
	}
	g.push.made = cfg.Metrics
	o := cfg.Metrics.OTLP
	if o == nil {
		return
	}
	options := telemetry.PushOptions{Endpoint: o.Endpoint, Protocol: o.Protocol, Interval: o.Interval, Timeout: o.Timeout, Headers: map[string]string{}, Log: g.log}
	for name, secret := range o.Headers {
		options.Headers[name] = secret.Reveal()
	}
	running, err := telemetry.PushMetrics(g.MetricOptions(), options)
	if err != nil { // the gateway serves without: what it is for comes first
		g.log.Error("metrics are not sent", "endpoint", o.Endpoint, "error", err)
		return
	}
	g.push.running = running
}

// stopPush sends what there is once more, for as long as one attempt may take. The caller holds mu.
func (g *Gateway) stopPush() {
	if g.push.running != nil {
		g.closePush(g.push.running)
		g.push.running = nil
	}
}

func (g *Gateway) closePush(running *telemetry.MetricPush) {
	if err := running.Close(); err != nil {
		g.log.Warn("the last metrics could not be sent", "error", err)
	}
}

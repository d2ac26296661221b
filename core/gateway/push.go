package gateway

import (
	"github.com/sallyport/sallyport/core/telemetry"
)

// metricPush is what sends metrics, if anything does. It is guarded by Gateway.mu.
type metricPush struct {
	running *telemetry.MetricPush
	to      string // the collector's key
}

// MetricOptions say what the gateway tells of itself.
func (g *Gateway) MetricOptions() telemetry.MetricOptions {
	o := telemetry.MetricOptions{Collect: g.Metrics, Version: g.Version, Service: "sallyport"}
	if s := g.current.Load(); s != nil {
		o.Service = s.Config.Metrics.ServiceName
	}
	return o
}

// updatePush sends metrics to the collector of s, the current Snapshot. The caller holds mu.
func (g *Gateway) updatePush(s *Snapshot) {
	if g.push.to == s.metricsTo.key {
		return
	}
	if old := g.push.running; old != nil {
		g.closing.Go(func() { g.closePush(old) }) // whoever waits for the reload need not wait for a dead collector
		g.push.running = nil
	}
	g.push.to = s.metricsTo.key
	if g.push.to == "" {
		return
	}
	to := &s.metricsTo
	running, err := telemetry.PushMetrics(g.MetricOptions(), to.options, to.interval, g.log)
	if err != nil { // the gateway serves without: what it is for comes first
		g.log.Error("metrics are not sent", "endpoint", to.options.Endpoint, "error", err)
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

package gateway

import (
	"crypto/sha256"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/telemetry"
)

// collector is where telemetry of one kind goes; the zero value is nowhere.
type collector struct {
	key      string // another one for another collector
	options  telemetry.OTLPOptions
	interval time.Duration // of metrics
}

// collector translates an otlp table, whose key path it is told.
func (b *builder) collector(at, service string, c *config.OTLP) (to collector, ok bool) {
	secure, files, ok := b.clientTLS("collector", at+".tls", c.TLS)
	to.options = telemetry.OTLPOptions{
		Endpoint: c.Endpoint, HTTP: c.Protocol == "http", Headers: map[string]string{}, Timeout: c.Timeout, TLS: secure, Service: service,
	}
	hashes := map[string][sha256.Size]byte{}
	for name, secret := range c.Headers {
		to.options.Headers[name] = secret.Reveal()
		hashes[name] = sha256.Sum256([]byte(secret.Reveal()))
	}
	to.key = shelfKey("collector", service, struct {
		OTLP    *config.OTLP
		Headers map[string][sha256.Size]byte
		Files   [][sha256.Size]byte
	}{c, hashes, files})
	return to, ok
}

// buildCollectors translates the otlp tables. What connects is opened when the Snapshot is to be the current one.
func (b *builder) buildCollectors() {
	if m := &b.cfg.Metrics; m.OTLP != nil {
		b.s.metricsTo, _ = b.collector("metrics.otlp", m.ServiceName, &m.OTLP.OTLP) // what is wrong has been noted
		b.s.metricsTo.interval = m.OTLP.Interval
		b.s.metricsTo.key += m.OTLP.Interval.String()
	}
	if t := b.cfg.Tracing; t != nil {
		b.s.spansTo, _ = b.collector("tracing.otlp", t.ServiceName, &t.OTLP)
	}
}

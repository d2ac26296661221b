package gateway

import (
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/telemetry"
)

// logAccess has the access log write x's line. A log that is closed meanwhile has a successor, or is off from now on.
func (g *Gateway) logAccess(x *exchange.Exchange) {
	if x.Unlogged {
		return
	}
	for log := g.access.Load(); log != nil && !log.Write(x); {
		log = g.access.Load()
	}
}

// openAccessLog makes the access log what c says. An unchanged target goes on with another format.
func (g *Gateway) openAccessLog(c *config.Log) error {
	format, err := telemetry.NewFormat(telemetry.FormatOptions{
		Style: c.Format, Fields: c.Fields, RequestHeaders: c.RequestHeaders, ResponseHeaders: c.ResponseHeaders,
		RedactQuery: c.RedactQuery, RedactAttributes: c.RedactAttributes, Sample: classes(c.Sample), Slow: c.Slow,
	})
	if err != nil {
		return err
	}
	if c.Access == g.accessTarget {
		if log := g.access.Load(); log != nil {
			log.SetFormat(format)
		}
		return nil
	}
	var next *telemetry.AccessLog
	if c.Access != "off" {
		if next, err = telemetry.OpenAccessLog(c.Access, format, g.log); err != nil {
			return err
		}
	}
	g.accessTarget = c.Access
	if old := g.access.Swap(next); old != nil {
		if err := old.Close(); err != nil { // the new one takes lines already
			g.log.Error("cannot close the old access log", "error", err)
		}
	}
	return nil
}

// classes returns shares by the first digit of their statuses.
func classes(sample map[string]float64) map[int]float64 {
	shares := make(map[int]float64, len(sample))
	for class, share := range sample {
		shares[int(class[0]-'0')] = share
	}
	return shares
}

package upstream

import (
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

// HealthOptions say how an Upstream finds out by itself which of its endpoints are well.
type HealthOptions struct {
	Kind              string        // "http", "tcp": a connection, with TLS where the upstream has it, or "grpc": grpc.health.v1 over HTTP/2
	Method            string        // of http
	Path              string        // of http, in canonical form
	Query             string        // of http
	Host              string        // of http and grpc: sent as Host; "" stands for the endpoint's address
	Port              int           // other than the endpoint's own; 0: that one. Sockets have none
	Interval          time.Duration // from the end of one check to the next of the same endpoint
	UnhealthyInterval time.Duration // the same while the endpoint's checks fail
	Jitter            time.Duration // random time, up to this, added to each interval
	Timeout           time.Duration // for all of one check
	Healthy           int           // checks passed in a row until a failed endpoint is used again
	Unhealthy         int           // checks failed in a row until an endpoint is not used any more
	Statuses          []StatusRange // of http: those that pass
	Body              string        // of http: what the content, its first 64 KiB, must hold
	Service           string        // of grpc: what is asked for; "" stands for the whole server
}

// StatusRange is the statuses from one to another, both included.
type StatusRange struct{ From, To int }

// maxChecks is how many checks of one Upstream are under way at once: with all servers unreachable each takes its whole timeout.
const maxChecks = 64

// checker does the checks of one Upstream.
type checker struct {
	options   HealthOptions
	upstream  Options // with nothing kept, and with no time but the checks' own
	transport Transport
	dialer    dialer
	slots     chan struct{}
	ask       func(k *check) error // does one check
}

func newChecker(h *HealthOptions, o Options) (*checker, error) {
	if h == nil {
		return nil, nil
	}
	o.MaxIdle, o.ConnectTimeout, o.ResponseTimeout = 0, h.Timeout, h.Timeout
	c := &checker{options: *h, upstream: o, dialer: dialer{h.Timeout}, slots: make(chan struct{}, maxChecks)}
	var err error
	if c.transport, err = newTransport(&o); err != nil {
		return nil, err
	}
	switch {
	case h.Interval <= 0 || h.UnhealthyInterval <= 0 || h.Timeout <= 0 || h.Healthy < 1 || h.Unhealthy < 1:
		return nil, errors.New("health checks need intervals, a timeout and thresholds")
	case h.Kind == "http":
		c.ask = c.askHTTP
	case h.Kind == "tcp":
		c.ask = c.askTCP
	case h.Kind == "grpc" && o.Protocol == "http/1.1":
		return nil, errors.New("health checks by gRPC need HTTP/2: the protocol must be h2 or h2c")
	case h.Kind == "grpc":
		c.ask = c.askGRPC
	default:
		return nil, fmt.Errorf("no kind %q of health checks", h.Kind)
	}
	return c, nil
}

// endpoint returns what checks connect to. It is closed from the start, so that no connection is kept; and it is none of the Upstream's, so
// that checks are not counted among the exchanges.
func (c *checker) endpoint(one EndpointOptions) (*Endpoint, error) {
	host, _, err := net.SplitHostPort(one.Address)
	if c.options.Port != 0 && err == nil {
		one.Address = net.JoinHostPort(host, strconv.Itoa(c.options.Port))
	}
	e, err := newEndpoint(one, c.upstream)
	if err == nil {
		e.close()
	}
	return e, err
}

// checkRecord is how the checks of one endpoint went; of the standing, guarded by its lock.
type checkRecord struct {
	total, failed uint64
	passes, fails int // in a row: one of them is 0
	at            time.Time
	took          time.Duration
	err           error // why the last one was not passed
}

func (r *checkRecord) add(at time.Time, took time.Duration, err error) {
	r.total++
	r.at, r.took, r.err = at, took, err
	if err == nil {
		r.passes, r.fails = r.passes+1, 0
		return
	}
	r.failed++
	r.passes, r.fails = 0, r.fails+1
}

// checked takes in the result of a check and returns how long to wait for the next.
func (s *standing) checked(at time.Time, took time.Duration, err error) time.Duration {
	s.mu.Lock()
	if s.stopped {
		s.mu.Unlock()
		return 0
	}
	s.checks.add(at, took, err)
	before, after := s.mark(s.judge())
	s.mu.Unlock()
	why := "a health check was passed"
	if err != nil {
		why = "a health check failed: " + err.Error()
	}
	s.announce(before, after, why)
	h := &s.home.checker.options
	if after&reasonFailed != 0 {
		return jittered(h.UnhealthyInterval, h.Jitter)
	}
	return jittered(h.Interval, h.Jitter)
}

// judge returns the reasons that the checks so far add and take away. Of an endpoint that waits for its first check, that one decides.
func (s *standing) judge() (add, remove uint32) {
	h, waits := &s.home.checker.options, s.reasons.Load()&reasonUnchecked != 0
	switch r := &s.checks; {
	case r.err == nil && (waits || r.passes >= h.Healthy):
		return 0, reasonFailed | reasonUnchecked
	case r.err != nil && (waits || r.fails >= h.Unhealthy):
		return reasonFailed, reasonUnchecked
	}
	return 0, 0
}

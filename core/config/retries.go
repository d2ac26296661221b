package config

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// Retry is an upstream's table retry: when and how a request is sent again. How often is Upstream.Retries.
type Retry struct {
	On            []string // "connect", "reset", "timeout", statuses such as "503", "grpc-unavailable" and the like
	Methods       []string // that may be sent again after a server may have acted on them
	TryTimeout    time.Duration
	Backoff       time.Duration
	MaxBackoff    time.Duration
	Budget        int // percent; 0: no bound
	MaxBody       int64
	MaxRetryAfter time.Duration
}

// UpstreamLimits is an upstream's table limits. Of each, 0 is no bound, but for MaxPending.
type UpstreamLimits struct {
	MaxConnections int // per endpoint
	MaxRequests    int
	MaxPending     int
	PendingTimeout time.Duration
	MaxRetries     int
}

// Breaker is an upstream's table breaker, of which each endpoint has one.
type Breaker struct {
	Failures    int // in a row; 0: however many
	Ratio       int // percent; 0: whatever the share
	Window      time.Duration
	MinRequests int
	OpenFor     time.Duration
	MaxOpenFor  time.Duration
	HalfOpen    int
	Statuses    []int
}

func readRetry(v value) *Retry {
	r := &Retry{
		On: []string{"connect", "reset", "timeout"}, Methods: []string{"GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"},
		Backoff: 25 * time.Millisecond, MaxBackoff: 250 * time.Millisecond, Budget: 20, MaxBody: 64 << 10, MaxRetryAfter: time.Second,
	}
	retryKeys().read(v, r)
	if r.MaxBackoff < r.Backoff {
		v.child("max_backoff").fail("is less than backoff, which is %s", span(r.Backoff))
	}
	return r
}

func retryKeys() keys[Retry] {
	return keys[Retry]{
		{"on", func(v value, r *Retry) { v.someTexts(&r.On, "reasons for a retry", checkReason) }},
		{"methods", func(v value, r *Retry) { readMethods(v, &r.Methods) }},
		{"try_timeout", func(v value, r *Retry) { v.duration(&r.TryTimeout, 0, longest) }},
		{"backoff", func(v value, r *Retry) { v.duration(&r.Backoff, 0, time.Minute) }},
		{"max_backoff", func(v value, r *Retry) { v.duration(&r.MaxBackoff, 0, time.Minute) }},
		{"budget", func(v value, r *Retry) { integer(v, &r.Budget, 0, 100) }},
		{"max_body", func(v value, r *Retry) { size(v, &r.MaxBody, 0, 64<<20) }},
		{"max_retry_after", func(v value, r *Retry) { v.duration(&r.MaxRetryAfter, 0, time.Minute) }},
	}
}

func checkReason(v value, s string) (string, bool) {
	known := []string{
		"connect", "reset", "timeout", "429", "502", "503", "504",
		"grpc-unavailable", "grpc-resource-exhausted", "grpc-deadline-exceeded", "grpc-internal",
	}
	if slices.Contains(known, s) {
		return s, true
	}
	if n, err := strconv.Atoi(s); err == nil && 400 <= n && n <= 599 && len(s) == 3 {
		return s, true
	}
	v.fail("%q is no reason for a retry: there are %s and other statuses from 400 to 599%s", s, quoted(known), didYouMean(s, known))
	return "", false
}

func readUpstreamLimits(v value) *UpstreamLimits {
	l := &UpstreamLimits{PendingTimeout: time.Second}
	upstreamLimitsKeys().read(v, l)
	if l.MaxPending > 0 && l.MaxConnections == 0 && l.MaxRequests == 0 {
		v.child("max_pending").fail("needs max_connections or max_requests: without them nobody waits")
	}
	return l
}

func upstreamLimitsKeys() keys[UpstreamLimits] {
	return keys[UpstreamLimits]{
		{"max_connections", func(v value, l *UpstreamLimits) { integer(v, &l.MaxConnections, 0, 1_000_000) }},
		{"max_requests", func(v value, l *UpstreamLimits) { integer(v, &l.MaxRequests, 0, 10_000_000) }},
		{"max_pending", func(v value, l *UpstreamLimits) { integer(v, &l.MaxPending, 0, 1_000_000) }},
		{"pending_timeout", func(v value, l *UpstreamLimits) { v.duration(&l.PendingTimeout, time.Millisecond, longest) }},
		{"max_retries", func(v value, l *UpstreamLimits) { integer(v, &l.MaxRetries, 0, 1_000_000) }},
	}
}

func readBreaker(v value) *Breaker {
	b := &Breaker{
		Failures: 5, Window: 10 * time.Second, MinRequests: 20, OpenFor: 5 * time.Second, MaxOpenFor: time.Minute, HalfOpen: 1,
		Statuses: []int{502, 503, 504},
	}
	breakerKeys().read(v, b)
	if b.Failures == 0 && b.Ratio == 0 {
		v.fail("needs failures or ratio: nothing would ever open it")
	}
	if b.MaxOpenFor < b.OpenFor {
		v.child("max_open_for").fail("is less than open_for, which is %s", span(b.OpenFor))
	}
	return b
}

func breakerKeys() keys[Breaker] {
	return keys[Breaker]{
		{"failures", func(v value, b *Breaker) { integer(v, &b.Failures, 0, 1_000_000) }},
		{"ratio", func(v value, b *Breaker) { integer(v, &b.Ratio, 0, 100) }},
		{"window", func(v value, b *Breaker) { v.duration(&b.Window, shortest, time.Hour) }},
		{"min_requests", func(v value, b *Breaker) { integer(v, &b.MinRequests, 1, 1_000_000) }},
		{"open_for", func(v value, b *Breaker) { v.duration(&b.OpenFor, shortest, longest) }},
		{"max_open_for", func(v value, b *Breaker) { v.duration(&b.MaxOpenFor, shortest, longest) }},
		{"half_open", func(v value, b *Breaker) { integer(v, &b.HalfOpen, 1, 10_000) }},
		{"statuses", func(v value, b *Breaker) { readErrorStatuses(v, &b.Statuses) }},
	}
}

// readErrorStatuses reads a list of statuses of errors.
func readErrorStatuses(v value, dst *[]int) {
	elements, ok := v.list("statuses such as 503")
	list := make([]int, 0, len(elements))
	for _, e := range elements {
		n := 0
		if integer(e, &n, 400, 599); n != 0 {
			list = append(list, n)
		}
	}
	if ok {
		*dst = list
	}
}

// Concurrency bounds how many requests are served at once.
type Concurrency struct {
	Limit int
	Queue int // that may wait; the newest is the next
	Wait  time.Duration
}

func readConcurrency(v value) *Concurrency {
	c := &Concurrency{Wait: time.Second}
	concurrencyKeys().read(v, c)
	if v.holdsKeys() {
		v.need("limit", "how many requests may be served at once")
	}
	return c
}

func concurrencyKeys() keys[Concurrency] {
	return keys[Concurrency]{
		{"limit", func(v value, c *Concurrency) { integer(v, &c.Limit, 1, 1_000_000) }},
		{"queue", func(v value, c *Concurrency) { integer(v, &c.Queue, 0, 1_000_000) }},
		{"wait", func(v value, c *Concurrency) { v.duration(&c.Wait, time.Millisecond, longest) }},
	}
}

// isNamed reports whether s is kind:NAME with a name that a field or cookie can have.
func isNamed(s string, kinds ...string) bool {
	kind, name, _ := strings.Cut(s, ":")
	return slices.Contains(kinds, kind) && isToken(name)
}

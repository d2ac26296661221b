package gateway

import (
	"fmt"
	"strings"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/key"
	"github.com/sallyport/sallyport/core/limit"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/store"
)

// counts are what a limit has counted, and what its keys are made with.
type counts struct {
	limiter limit.Limiter
	batch   *store.Batch // nil: nobody is told
	seed    limit.Seed
	tally   filter.Tally
	config  config.Limit
}

func (c *counts) close() {
	if c.batch != nil {
		c.batch.Close()
	}
}

// buildRateLimit finds the counts of unchanged limits again, so that a reload forgives nobody.
func (b *builder) buildRateLimit(r *config.Route, f *config.Filter) (chain.Filter, error) {
	group := limitName(r, f)
	o := filter.RateLimitOptions{Group: group, Legacy: f.RateLimit.LegacyHeaders, Hide: f.RateLimit.HideHeaders, Answer: answerProblem}
	for i := range f.RateLimit.Limits {
		c := &f.RateLimit.Limits[i]
		l, err := b.buildLimit(group+"."+c.Name, c)
		if err != nil {
			return nil, err
		}
		if l.Shared {
			o.Store = b.s.stores[c.Store].redis
		}
		o.Limits = append(o.Limits, l)
	}
	return filter.NewRateLimit(o), nil
}

func (b *builder) buildLimit(name string, c *config.Limit) (*filter.Limit, error) {
	kept, _, err := b.takeCounts("limit", name, c)
	if err != nil {
		return nil, err
	}
	l := &filter.Limit{
		Name: c.Name, ID: name, Policy: policy(c), DryRun: c.DryRun, Counter: kept.limiter, Seed: kept.seed, Tally: &kept.tally,
		Cost:         filter.Cost{Default: c.Cost.Default, Max: c.Cost.Max},
		Missing:      map[string]filter.Missing{"skip": filter.MissingSkips, "deny": filter.MissingDenies}[c.Missing],
		OnStoreError: onStoreError(c),
		Shared:       c.Store != "" && c.SyncInterval == 0,
	}
	if kept.batch != nil {
		l.Noted = kept.batch
	}
	for _, by := range c.By {
		part, err := key.Parse(by)
		if err != nil {
			return nil, err
		}
		l.By = append(l.By, part)
	}
	if c.Cost.From != "" {
		part, err := key.Parse(c.Cost.From)
		if err != nil {
			return nil, err
		}
		l.Cost.From = &part
	}
	return l, nil
}

func policy(c *config.Limit) limit.Policy {
	p := limit.Policy{Count: c.Count, Per: c.Per, Burst: c.Burst}
	for _, a := range []limit.Algorithm{limit.GCRA, limit.SlidingWindow, limit.Quota, limit.Concurrency} {
		if a.String() == c.Algorithm {
			p.Algorithm = a
		}
	}
	return p
}

func onStoreError(c *config.Limit) filter.OnStoreError {
	return map[string]filter.OnStoreError{"local": filter.CountHere, "allow": filter.LetPass, "deny": filter.DenyAll}[c.OnStoreError]
}

// takeCounts finds or makes what a limit has counted, and what tells it apart.
func (b *builder) takeCounts(kind, name string, c *config.Limit) (*counts, string, error) {
	shared := b.s.stores[c.Store]
	where := shelfKey(kind, name, c) + shared.key
	kept, release, err := b.g.limits.take(where, func() (*counts, error) { return newCounts(name, c, shared) }, (*counts).close)
	if err != nil {
		return nil, "", err
	}
	b.s.releases = append(b.s.releases, release)
	b.s.limits[name] = kept
	return kept, where, nil
}

// partOf is the policy of one of some gateways by itself. What one request can cost must fit, or it would be denied for good.
func partOf(p limit.Policy, gateways, cost int64) limit.Policy {
	p.Count, p.Burst = (p.Count+gateways-1)/gateways, (p.Burst+gateways-1)/gateways
	if p.Algorithm == limit.GCRA {
		p.Burst = max(p.Burst, cost)
	} else {
		p.Count = max(p.Count, cost)
	}
	return p
}

// newCounts makes what counts by c. What stands in for a store that fails has this gateway's part of the rate.
func newCounts(name string, c *config.Limit, shared sharedStore) (*counts, error) {
	p := policy(c)
	if c.Store != "" && c.SyncInterval == 0 {
		p = partOf(p, int64(shared.gateways), c.Cost.Max)
	}
	limiter, err := limit.New(p, c.Keys)
	if err != nil {
		return nil, err
	}
	kept := &counts{limiter: limiter, seed: limit.NewSeed(), config: *c}
	learner, learns := limiter.(limit.Learner)
	if c.SyncInterval > 0 && learns {
		kept.batch = shared.redis.NewBatch(store.BatchOptions{
			Policy: p, Limit: name, Every: c.SyncInterval, Keys: c.Keys, Counter: learner, Told: func(err error) { kept.countTelling(err) },
		})
	}
	return kept, nil
}

// countTelling counts only what went wrong: decisions are counted where they are made.
func (c *counts) countTelling(err error) {
	if err != nil {
		c.tally.Count(false, err)
	}
}

// limitName tells limits apart: one of a route's is found again by the route's name, wherever it stands in the file, and one of the top
// counts for all routes together.
func limitName(r *config.Route, f *config.Filter) string {
	_, place, own := strings.Cut(f.Key, "].")
	if !own {
		return f.Key
	}
	return r.Name + "." + place
}

// takeNamedLimit finds or makes a limit that plugins take from.
func (b *builder) takeNamedLimit(name string) (plugin.Limiter, string) {
	c := b.cfg.Limits[name]
	kept, where, err := b.takeCounts("named limit", "limits."+name, &c)
	if err != nil {
		b.fault("limits."+name, "%v", err)
		return nil, where
	}
	l := &namedLimit{counts: kept, name: "limits." + name, policy: policy(&c)}
	if c.Store == "" || c.SyncInterval > 0 {
		return l, where
	}
	return &sharedLimit{*l, b.s.stores[c.Store].redis, onStoreError(&c)}, where
}

// namedLimit lets plugins take from a limiter.
type namedLimit struct {
	*counts
	name   string
	policy limit.Policy
}

// Burst is part of plugin.Limiter.
func (l *namedLimit) Burst() int64 { return l.policy.Most() }

// Take is part of plugin.Limiter.
func (l *namedLimit) Take(key string, n int64) (time.Duration, error) {
	hash := l.seed.Join(0, key)
	d := l.limiter.Take(hash, l.limiter.At(time.Now()), n)
	if d.Allowed && l.batch != nil {
		l.batch.Note(hash, filter.SharedKey([]byte(key)), n)
	}
	l.tally.Count(d.Allowed, nil)
	return waitOf(d), nil
}

func waitOf(d limit.Decision) time.Duration {
	if d.Allowed {
		return 0
	}
	return max(d.RetryAfter, 1)
}

// sharedLimit is a namedLimit that a store decides on.
type sharedLimit struct {
	namedLimit
	store        *store.Redis
	onStoreError filter.OnStoreError
}

// Waits marks a limit that waits for others.
func (l *sharedLimit) Waits() {}

// Take is part of plugin.Limiter.
func (l *sharedLimit) Take(key string, n int64) (time.Duration, error) {
	asks := []limit.Ask{{Policy: l.policy, Limit: l.name, Key: filter.SharedKey([]byte(key)), N: n}}
	var answers [1]limit.Decision
	err := l.store.Take("", asks, answers[:])
	switch {
	case err == nil && answers[0].Allowed:
		l.limiter.Take(l.seed.Join(0, key), l.limiter.At(time.Now()), n) // counted along: see filter.RateLimit
	case err == nil:
	case l.onStoreError == filter.CountHere:
		l.tally.Count(false, err)
		return l.namedLimit.Take(key, n)
	case l.onStoreError == filter.LetPass:
		l.tally.Count(false, err)
		return 0, nil
	default:
		l.tally.Count(false, err)
		return 0, fmt.Errorf("%s: %w", l.name, err)
	}
	l.tally.Count(answers[0].Allowed, nil)
	return waitOf(answers[0]), nil
}

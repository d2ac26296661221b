package gateway

import (
	"strings"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/filter"
	"github.com/sallyport/sallyport/core/limit"
)

// buildStep makes one step of r's chain; false if it could not, and then why is noted.
func (b *builder) buildStep(r *config.Route, f *config.Filter) (chain.Step, bool) {
	step := chain.Step{Name: f.Use}
	var err error
	switch {
	case f.RateLimit != nil:
		step.Filter, err = b.buildRateLimit(r, f)
	case f.Headers != nil:
		step.Filter = filter.NewHeaders(edit(f.Headers.Request), edit(f.Headers.Response))
	case f.Rewrite != nil:
		step.Filter, err = buildRewrite(f.Rewrite)
	case f.Compress != nil:
		step.Filter, err = b.buildCompress(f)
	default:
		if f.OnError == "skip" {
			step.OnError = chain.Skip
		}
		step.Filter = b.buildPluginFilter(f, step.OnError)
		return step, step.Filter != nil
	}
	if err != nil {
		b.fault(f.Key, "%v", err)
		return step, false
	}
	return step, true
}

func buildRewrite(c *config.Rewrite) (chain.Filter, error) {
	path, err := filter.NewPathRewrite(filter.PathOptions{StripPrefix: c.StripPrefix, AddPrefix: c.AddPrefix, Path: c.Path})
	if err != nil {
		return nil, err
	}
	return filter.NewRewrite(path), nil
}

// buildCompress makes one filter of the top for all routes: they share its idle encoders and its bound.
func (b *builder) buildCompress(f *config.Filter) (chain.Filter, error) {
	if made := b.compress[f.Key]; made != nil {
		return made, nil
	}
	made, err := filter.NewCompress(filter.CompressOptions(*f.Compress))
	if err != nil {
		return nil, err
	}
	b.compress[f.Key] = made
	return made, nil
}

// counts are what a rate limit has counted, and what its keys are made with.
type counts struct {
	limiter *limit.Limiter
	seed    limit.Seed
}

// buildRateLimit finds the counts of an unchanged limit again, so that a reload forgives nobody.
func (b *builder) buildRateLimit(r *config.Route, f *config.Filter) (chain.Filter, error) {
	c := f.RateLimit
	rate := limit.Rate{Count: c.Count, Per: c.Per, Burst: c.Burst}
	kept, release, err := b.g.limits.take(shelfKey("limit", limitName(r, f), c), func() (counts, error) {
		limiter, err := limit.New(rate, c.Keys)
		return counts{limiter, limit.NewSeed()}, err
	}, func(counts) {})
	if err != nil {
		return nil, err
	}
	b.s.releases = append(b.s.releases, release)
	return filter.NewRateLimit(filter.RateLimitOptions{Name: c.Name, Rate: rate, By: c.By, Answer: answerTooMany, Seed: kept.seed}, kept.limiter)
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

// answerTooMany keeps fail.go the one place that writes problems.
func answerTooMany(x *exchange.Exchange, status int, title string) {
	answerProblem(x, status, title, "the limit of this route is used up for now")
}

func edit(e config.HeaderEdit) filter.HeaderEdit {
	return filter.HeaderEdit{Set: fields(e.Set), Add: fields(e.Add), Remove: e.Remove}
}

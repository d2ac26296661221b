package gateway

import (
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
		step.Filter, err = b.buildRateLimit(f)
	case f.Headers != nil:
		step.Filter, err = filter.NewHeaders(filter.HeadersOptions{Request: edit(f.Headers.Request), Response: edit(f.Headers.Response)})
	case f.Rewrite != nil:
		step.Filter, err = filter.NewRewrite(filter.PathOptions{
			StripPrefix: f.Rewrite.StripPrefix, AddPrefix: f.Rewrite.AddPrefix, Path: f.Rewrite.Path,
		})
	default:
		if f.OnError == "skip" {
			step.OnError = chain.Skip
		}
		step.Filter = b.buildPluginFilter(f)
		return step, step.Filter != nil
	}
	if err != nil {
		b.fault(f.Key, "%v", err)
		return step, false
	}
	return step, true
}

// buildRateLimit finds the counts of an unchanged limit again, so that a reload forgives nobody.
func (b *builder) buildRateLimit(f *config.Filter) (chain.Filter, error) {
	c := f.RateLimit
	rate := limit.Rate{Count: c.Count, Per: c.Per, Burst: c.Burst}
	limiter, release, err := b.g.limiters.take(shelfKey("limit", f.Key, c), func() (*limit.Limiter, error) {
		return limit.New(rate, c.Keys)
	}, func(*limit.Limiter) {})
	if err != nil {
		return nil, err
	}
	b.s.releases = append(b.s.releases, release)
	return filter.NewRateLimit(filter.RateLimitOptions{Name: c.Name, Rate: rate, By: c.By, Answer: answerTooMany}, limiter)
}

// answerTooMany keeps fail.go the one place that writes problems.
func answerTooMany(x *exchange.Exchange, status int, title string) {
	answerProblem(x, status, title, "the limit of this route is used up for now")
}

func edit(e config.HeaderEdit) filter.HeaderEdit {
	return filter.HeaderEdit{Set: fields(e.Set), Add: fields(e.Add), Remove: e.Remove}
}

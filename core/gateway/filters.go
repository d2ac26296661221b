package gateway

import (
	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/filter"
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
		step.Plugin = true
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

func edit(e config.HeaderEdit) filter.HeaderEdit {
	return filter.HeaderEdit{Set: fields(e.Set), Add: fields(e.Add), Remove: e.Remove}
}

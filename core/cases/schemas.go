package cases

import (
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/schema"
)

// schemas compiles a case's schemas, with the limits that those of a gateway have by default.
func schemas(list []config.NameValue) (map[string]plugin.Schema, error) {
	var sources []schema.Source
	for _, v := range list {
		sources = append(sources, schema.Source{
			Name: v.Name, Text: v.Value, Draft: schema.Draft202012, AssertFormats: true,
			Limits: schema.Limits{Size: 1 << 20, Depth: 64, Members: 100_000},
		})
	}
	set, err := schema.New(sources)
	if err != nil {
		return nil, err
	}
	granted := map[string]plugin.Schema{}
	for _, s := range sources {
		granted[s.Name] = set.Schema(s.Name)
	}
	return granted, nil
}

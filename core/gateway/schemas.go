package gateway

import (
	"maps"
	"slices"

	"github.com/sallyport/sallyport/core/schema"
)

// buildSchemas compiles the schemas of the config, all in one set since they may refer to each other, or finds those of the generation before.
func (b *builder) buildSchemas() {
	if len(b.cfg.Schemas) == 0 {
		return
	}
	var sources []schema.Source
	for _, name := range slices.Sorted(maps.Keys(b.cfg.Schemas)) {
		c := b.cfg.Schemas[name]
		sources = append(sources, schema.Source{
			Name: name, ID: c.ID, Text: c.Text, Draft: c.Draft, AssertFormats: c.AssertFormats,
			Limits: schema.Limits{Size: c.MaxSize, Depth: c.MaxDepth, Members: c.MaxMembers},
		})
	}
	set, release, err := b.g.schemas.take(shelfKey("schemas", "", sources), func() (*schema.Set, error) { return schema.New(sources) }, func(*schema.Set) {})
	if err != nil {
		b.schemaFaults(err)
		return
	}
	b.s.schemas = set
	b.s.releases = append(b.s.releases, release)
}

// schemaFaults notes what is wrong at the place of each schema's text.
func (b *builder) schemaFaults(err error) {
	wrong, _ := err.(schema.Faults)
	for name, fault := range wrong {
		key := "schemas." + name + ".schema"
		if b.cfg.Schemas[name].File != "" {
			key = "schemas." + name + ".file"
		}
		b.fault(key, "%v", fault)
	}
}

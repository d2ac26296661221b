package gateway

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/plugin"
	"github.com/sallyport/sallyport/core/store"
)

// The store that a plugin with the grant "kv" has for itself.
const (
	ownEntries = 100_000
	ownBytes   = 64 << 20
)

// granted is what one plugin may use, and a name for it: pools of other grants are other pools.
type granted struct {
	plugin.Grants
	key string
}

// buildGrants finds or makes what a plugin was granted. What it shares with the generation before, it finds as that one left it.
func (b *builder) buildGrants(name string, c config.Plugin) granted {
	g := granted{Grants: plugin.Grants{
		Stores: map[string]plugin.Store{}, Limits: map[string]plugin.Limiter{},
		Upstreams: map[string]plugin.Fetcher{}, Keys: map[string]plugin.KeySet{}, Passwords: map[string]plugin.PasswordSet{},
		Schemas: map[string]plugin.Schema{}, Hidden: c.HiddenHeaders,
	}}
	secrets := map[string]string{}
	keys := slices.Clone(c.HiddenHeaders)
	for _, grant := range c.Grants {
		keys = append(keys, b.grantOne(&g, secrets, grant, name, c.Key))
	}
	if len(secrets) > 0 {
		g.Secret = func(name string) (string, bool) { value, ok := secrets[name]; return value, ok }
	}
	slices.Sort(keys)
	g.key = shelfKey("grants", "", keys)
	return g
}

// grantOne adds one thing to what a plugin may use, and returns a name for it that changes with it. place is where the plugin's own store
// stands in the config.
func (b *builder) grantOne(g *granted, secrets map[string]string, grant config.Grant, plugin, place string) (key string) {
	name := grant.Name
	switch grant.Kind {
	case "kv":
		if name == "" {
			key = shelfKey("own kv", plugin, nil)
			g.Stores[""] = b.takeStore(place, key, config.KV{Entries: ownEntries, Bytes: ownBytes})
			return key
		}
		key = shelfKey("kv", name, b.cfg.KV[name])
		if store := b.cfg.KV[name].Store; store != "" {
			shared, built := b.s.stores[store]
			if built { // else its fault is noted
				g.Stores[name] = shared.redis.Values(name)
			}
			return key + shared.key
		}
		g.Stores[name] = b.takeStore("kv."+name, key, b.cfg.KV[name])
	case "limit":
		g.Limits[name], key = b.takeNamedLimit(name)
	case "fetch":
		u := b.s.upstreams[name]
		g.Upstreams[name] = fetcher{u}
		return fmt.Sprintf("fetch\x00%s\x00%p", name, u) // the very one, not one that is alike: it has its own connections
	case "jwt":
		keys := b.takeKeys(name)
		g.Keys[name] = keySet{keys}
		return fmt.Sprintf("jwt\x00%s\x00%p", name, keys)
	case "passwords":
		set := b.s.passwords[name]
		g.Passwords[name] = passwordSet{set}
		return fmt.Sprintf("passwords\x00%s\x00%p", name, set)
	case "schema":
		if b.s.schemas == nil {
			return key // the fault is noted
		}
		s := b.s.schemas.Schema(name)
		g.Schemas[name] = s
		return fmt.Sprintf("schema\x00%s\x00%p", name, s)
	case "secret":
		secrets[name] = b.cfg.Secrets[name].Reveal()
		return fmt.Sprintf("secret\x00%s\x00%x", name, sha256.Sum256([]byte(secrets[name]))) // it does not tell it
	}
	return key
}

func (b *builder) takeStore(place, key string, c config.KV) plugin.Store {
	s, release, err := b.g.stores.take(key, func() (*store.Memory, error) {
		return store.NewMemory(store.Options{Entries: c.Entries, Bytes: c.Bytes})
	}, func(*store.Memory) {})
	if err != nil {
		b.fault(place, "%v", err)
		return nil
	}
	b.s.releases = append(b.s.releases, release)
	return s
}

// missingGrants says which kinds of grants a plugin needs and has none of.
func missingGrants(p *plugin.Plugin, grants []config.Grant) error {
	var lacks []string
	for _, need := range p.Needs() {
		if slices.ContainsFunc(grants, func(g config.Grant) bool { return g.Kind == need.Kind }) {
			continue
		}
		example := need.Kind + ":NAME"
		if need.Kind == "kv" {
			example = "kv"
		}
		lacks = append(lacks, fmt.Sprintf("it imports %s and was granted no %q", strings.Join(need.Functions, ", "), example))
	}
	if lacks == nil {
		return nil
	}
	return fmt.Errorf("%s: see grants of [plugins.%s]", strings.Join(lacks, "; "), p.Name())
}

// warnOfUnneeded tells of grants that the plugin has no use for: it was granted too much, or is not the plugin that was meant.
func (b *builder) warnOfUnneeded(p *plugin.Plugin, c config.Plugin) {
	for i, grant := range c.Grants {
		if slices.ContainsFunc(p.Needs(), func(n plugin.Need) bool { return n.Kind == grant.Kind }) {
			continue
		}
		key := fmt.Sprintf("%s.grants[%d]", c.Key, i)
		b.g.log.Warn("a grant that the plugin has no use for",
			"config", b.cfg.Errorf(key, "plugin %s imports no function that needs it", p.Name()).Error())
	}
}

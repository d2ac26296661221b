package gateway

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/plugin"
)

// maxPluginFile is the largest .wasm that is read, in bytes.
const maxPluginFile = 64 << 20

// loadedPlugin is a plugin as one Snapshot uses it, or the reason why it can't.
type loadedPlugin struct {
	plugin *plugin.Plugin
	key    string // what it is shelved under
	grants granted
	pools  []*plugin.Pool
	err    error
	at     string // key of err's place; "" for that of each filter that uses the plugin
}

// openHost starts the plugin host with the first config. Its disk cache stays where it was then.
func (g *Gateway) openHost(cfg *config.Config) error {
	if g.host != nil {
		if g.cache != cfg.Sandbox.Cache {
			return errors.New("the folder cannot change while the gateway runs: start it anew")
		}
		return nil
	}
	host, err := plugin.NewHost(context.Background(), plugin.HostOptions{CacheDir: cfg.Sandbox.Cache, Log: g.log})
	if err != nil {
		return err
	}
	g.host, g.cache = host, cfg.Sandbox.Cache
	return nil
}

// buildPluginFilter returns nil, with the reason noted, if the plugin cannot serve this filter.
func (b *builder) buildPluginFilter(f *config.Filter, onError chain.OnError) chain.Filter {
	loaded := b.loadPlugin(f.Use)
	if loaded.err != nil {
		b.fault(cmp.Or(loaded.at, f.Key+".use"), "%v", loaded.err)
		return nil
	}
	pool, release, err := b.g.pools.take(loaded.key+"\x00"+loaded.grants.key+"\x00"+string(f.Config), func() (*plugin.Pool, error) {
		pool, err := loaded.plugin.Configure(f.Config, loaded.grants.Grants)
		if err == nil {
			b.g.ledger.open(f.Use, pool)
		}
		return pool, err
	}, b.g.ledger.close)
	if err != nil {
		b.configFault(f, err)
		return nil
	}
	b.s.releases = append(b.s.releases, release)
	if !slices.Contains(loaded.pools, pool) {
		loaded.pools = append(loaded.pools, pool)
	}
	return pool.Filter(f.Key, onError)
}

// configFault shows a plugin's refusal at the place in the file that its JSON pointer leads to.
func (b *builder) configFault(f *config.Filter, err error) {
	var refused *plugin.ConfigError
	if errors.As(err, &refused) {
		b.fault(f.Key+".config"+keyPath(refused.Pointer), "plugin %s: %s", f.Use, refused.Message)
		return
	}
	b.fault(f.Key, "%v", err)
}

// keyPath turns a JSON pointer (RFC 6901) into a key path: /keys/0/name is .keys[0].name.
func keyPath(pointer string) string {
	var path strings.Builder
	for token := range strings.SplitSeq(strings.TrimPrefix(pointer, "/"), "/") {
		token = strings.NewReplacer("~1", "/", "~0", "~").Replace(token)
		switch {
		case token == "":
		case strings.Trim(token, "0123456789") == "":
			path.WriteString("[" + token + "]")
		default:
			path.WriteString("." + token)
		}
	}
	return path.String()
}

// loadPlugin loads a plugin once for each Snapshot, however many chains name it.
func (b *builder) loadPlugin(name string) *loadedPlugin {
	if loaded := b.s.plugins[name]; loaded != nil {
		return loaded
	}
	loaded := &loadedPlugin{}
	b.s.plugins[name] = loaded
	c := b.pluginConfig(name)
	wasm, err := readPlugin(c)
	if err != nil {
		loaded.err = fmt.Errorf("plugin %s: %w", name, err)
		return loaded
	}
	loaded.key = shelfKey("plugin", name, struct {
		Sum    [sha256.Size]byte
		Limits config.PluginLimits
	}{sha256.Sum256(wasm), c.Limits})
	var release func()
	loaded.plugin, release, loaded.err = b.g.plugins.take(loaded.key, func() (*plugin.Plugin, error) {
		return b.g.host.Load(name, wasm, pluginLimits(c.Limits))
	}, (*plugin.Plugin).Close)
	if loaded.err == nil {
		b.s.releases = append(b.s.releases, release)
		b.grant(name, c, loaded)
	}
	return loaded
}

// grant gives a plugin what its table says, if that is enough for it.
func (b *builder) grant(name string, c config.Plugin, loaded *loadedPlugin) {
	if lacks := missingGrants(loaded.plugin, c.Grants); lacks != nil {
		loaded.at, loaded.err = c.Key, fmt.Errorf("plugin %s: %w", name, lacks)
		return
	}
	b.warnOfUnneeded(loaded.plugin, c)
	loaded.grants = b.buildGrants(name, c)
}

// pluginConfig is the plugin's own table, or what the sandbox gives to those that have none.
func (b *builder) pluginConfig(name string) config.Plugin {
	if c, ok := b.cfg.Plugins[name]; ok {
		return c
	}
	return config.Plugin{File: filepath.Join(b.cfg.Sandbox.Dir, name+".wasm"), Limits: b.cfg.Sandbox.Limits}
}

func readPlugin(c config.Plugin) ([]byte, error) {
	info, err := os.Stat(c.File)
	if err != nil {
		return nil, err
	}
	if info.Size() > maxPluginFile {
		return nil, fmt.Errorf("%s: %d bytes, at most %d are read", c.File, info.Size(), maxPluginFile)
	}
	wasm, err := os.ReadFile(c.File)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(wasm)
	if got := hex.EncodeToString(sum[:]); c.SHA256 != "" && got != c.SHA256 {
		return nil, fmt.Errorf("%s: its SHA-256 is %s, the config wants %s", c.File, got, c.SHA256)
	}
	return wasm, nil
}

func pluginLimits(l config.PluginLimits) plugin.Limits {
	return plugin.Limits{
		Memory: l.Memory, Fuel: l.Fuel, Slice: l.Slice, FuelStart: l.FuelStart,
		TimeLimit: l.TimeLimit, WaitTimeout: l.WaitTimeout, MaxInstances: l.MaxInstances, MaxUses: l.MaxUses, BufferLimit: l.BufferLimit,
		FetchTimeout: l.FetchTimeout, MaxWaiting: l.MaxWaiting,
	}
}

// examineUnused looks once at each plugin file that no chain names, so that whoever drops a bad one in learns of it now
// and not on the day when a route wants it. It never refuses a config.
func (b *builder) examineUnused() {
	files, _ := filepath.Glob(filepath.Join(b.cfg.Sandbox.Dir, "*.wasm")) // the pattern is a constant: it cannot be malformed
	slices.Sort(files)
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".wasm")
		if b.s.plugins[name] != nil {
			continue
		}
		c := b.pluginConfig(name)
		wasm, err := readPlugin(c)
		sum := sha256.Sum256(wasm)
		seen := name + string(sum[:])
		if b.g.examined[seen] {
			continue
		}
		b.g.examined[seen] = true
		if err == nil {
			err = b.examine(name, wasm, c)
		}
		if err != nil {
			b.g.log.Warn("a plugin that no route uses could not be loaded", "plugin", name, "file", file, "error", err)
		}
	}
}

func (b *builder) examine(name string, wasm []byte, c config.Plugin) error {
	p, err := b.g.host.Load(name, wasm, pluginLimits(c.Limits))
	if err != nil {
		return err
	}
	defer p.Close()
	if lacks := missingGrants(p, c.Grants); lacks != nil {
		// Nothing is wrong with the file: a route that uses it comes with what it is granted.
		b.g.log.Info("a plugin that no route uses has not been granted what it needs", "plugin", name, "reason", lacks)
	}
	return nil
}

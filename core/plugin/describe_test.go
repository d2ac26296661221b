package plugin

import (
	"context"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func TestDescribe(t *testing.T) {
	d, err := Describe(fixture(t, "imports"))
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Hash) != 64 || d.MemoryMin%pageSize != 0 || len(d.Imports) == 0 || len(d.Exports) == 0 {
		t.Errorf("got %+v", d)
	}
	probe, err := Describe(fixture(t, "probe"))
	if err != nil {
		t.Fatal(err)
	}
	if probe.Metered <= probe.Size || !slices.ContainsFunc(probe.Needs, func(n Need) bool { return n.Kind == "fetch" }) {
		t.Errorf("got metered %d of %d, needs %v", probe.Metered, probe.Size, probe.Needs)
	}
	if at := slices.IndexFunc(probe.Imports, func(p Port) bool { return p.Name == "now" }); at < 0 || probe.Imports[at] != (Port{abi.Module, "now", "() -> i64"}) {
		t.Errorf("got %v", probe.Imports)
	}
	if _, err := Describe([]byte("no module")); err == nil {
		t.Error("described what is no module")
	}
}

// The clock and the random bytes of a host can be chosen, for tests of plugins.
func TestClockAndRandomBytesCanBeChosen(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 6, time.UTC)
	h, err := NewHost(context.Background(), HostOptions{
		CacheDir: cacheDir,
		Now:      func() time.Time { return moment },
		Random:   func(b []byte) { copy(b, "not at all random") },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}()
	s := &script{hooks: abi.HookRequest, request: []step{do("now"), do("random", buf(8))}}
	pool := configure(t, load(t, h, "probe", Limits{}), s.compile(t))
	if pool.Level() != 1 || pool.Hooks() != abi.HookRequest {
		t.Errorf("level %d, hooks %s", pool.Level(), pool.Hooks())
	}
	if _, err := pool.Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
		t.Fatal(err)
	}
	random, _ := pool.idle[0].mod.Memory().Read(probeBuffers, 8)
	compare(t, []string{s.outcomes(pool.idle[0])[0], string(random)}, []string{strconv.FormatInt(moment.UnixNano(), 10), "not at a"})
}

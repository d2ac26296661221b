package gatewaytest

import "testing"

// The status tells how long hooks took, by a sample, for each place of a plugin.
func TestStatusTellsHookTimes(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "p", "bare")
	g := StartIn(t, dir, "[[routes]]\nname = \"r\"\npath = \"/\"\nfilters = [\"p\", \"p\"]\nrespond = { status = 200 }\n")
	for range 128 {
		g.Get("/")
	}
	filters := g.Status().Plugins["p"].Filters
	if len(filters) != 2 {
		t.Fatalf("got %+v", filters)
	}
	for _, f := range filters {
		hooks := uint64(0)
		for i, class := range f.Times {
			hooks += class.Hooks
			if i > 0 && class.UpTo != 0 && class.UpTo <= f.Times[i-1].UpTo {
				t.Errorf("%s: the classes are not in order: %+v", f.Where, f.Times)
			}
		}
		if want := uint64(5 + f.Calls/64); hooks != want || f.Calls < 128 {
			t.Errorf("%s: %d hooks are timed of %d: %+v", f.Where, hooks, f.Calls, f.Times)
		}
	}
}

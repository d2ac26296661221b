// Package cases runs test cases that are written in TOML: of a plugin in the real sandbox, or of the routes of a gateway.toml.
package cases

import (
	"github.com/sallyport/sallyport/core/config"
)

// Result is what became of a case.
type Result struct {
	Case        *config.Case
	Differences []Difference // between what was expected and what was seen
	Problem     string       // why it fails whatever was expected; "" for nothing
	Notes       []string     // what helps to understand a failure
	Fuel        []Fuel

	seen  *observation
	stuck bool // the case could not be run to its end: what was seen means nothing
}

// Fuel is what a hook, or a plugin, has used.
type Fuel struct {
	Of    string
	Units int64
}

// Passed reports whether the case went as expected.
func (r *Result) Passed() bool { return len(r.Differences) == 0 && r.Problem == "" }

// Passed reports whether all cases went as expected.
func Passed(results []Result) bool {
	for i := range results {
		if !results[i].Passed() {
			return false
		}
	}
	return true
}

// Stuck reports whether the case could not be run to its end, so that there is nothing to update it with.
func (r *Result) Stuck() bool { return r.stuck }

// judge compares what was seen with what the case expects.
func (r *Result) judge() {
	if r.stuck = r.Problem != ""; r.stuck {
		return
	}
	expected := r.Case.Expect
	if r.seen.refused != nil && len(expected) > 0 && !names(expected, "refused") {
		r.Problem = "the plugin refuses the configuration: " + *r.seen.refused // nothing else can be as expected then
		return
	}
	r.Differences = compare(expected, r.seen)
	switch {
	case len(r.Differences) > 0:
	case len(expected) == 0:
		r.Problem = "expects nothing: write an [cases.expect] table, or run with --update to get one of what was seen"
	case r.seen.verdict == verdictFail && !names(expected, "verdict"):
		r.Problem = `the verdict is "fail", and the case does not expect it`
	}
}

// names reports whether a value directly in the expect table is expected.
func names(expected []config.Expectation, key string) bool {
	for _, e := range expected {
		if len(e.Path) == 1 && e.Path[0] == key {
			return true
		}
	}
	return false
}

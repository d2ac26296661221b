package cases

import (
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/config"
)

func TestExcerpts(t *testing.T) {
	long := strings.Repeat("x", 5000)
	for _, tt := range []struct {
		name, want, got, wantShown, gotShown string
	}{
		{"short", "a", "b", "a", "b"},
		{"an end that is missing", long + "y", long, "…" + strings.Repeat("x", 40) + "y (5001 bytes in all)", "…" + strings.Repeat("x", 40) + " (5000 bytes in all)"},
		{"differs at once", "y", long, "y", strings.Repeat("x", 400) + "… (5000 bytes in all)"},
		{"one is a part", "xxx", long, "xxx", strings.Repeat("x", 400) + "… (5000 bytes in all)"},
		{"inside of a letter", strings.Repeat("é", 300), strings.Repeat("é", 300) + "!", "…" + strings.Repeat("é", 20) + " (600 bytes in all)", "…" + strings.Repeat("é", 20) + "! (601 bytes in all)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want, got := excerpts(tt.want, tt.got)
			if want != tt.wantShown || got != tt.gotShown {
				t.Errorf("got\n%s\n%s\nwant\n%s\n%s", want, got, tt.wantShown, tt.gotShown)
			}
		})
	}
}

func TestHarmless(t *testing.T) {
	for line, want := range map[string]string{
		"plain\ttext é":                "plain\ttext é",
		"\x1b[31mred":                  `"\x1b[31mred"`,
		"a\r":                          `"a\r"`,
		"\xff":                         `"\xff"`,
		"\u202eright to left":          `"\u202eright to left"`,
		strings.Repeat("é", 201):       strings.Repeat("é", 200) + "… (402 bytes in all)",
		"x" + strings.Repeat("é", 200): "x" + strings.Repeat("é", 199) + "… (401 bytes in all)",
	} {
		if got := harmless(line); got != want {
			t.Errorf("%q: got %q, want %q", line, got, want)
		}
	}
}

// Bodies that a test compares can be large, and are no reason to fill the screen.
func TestReportOfAHugeDifference(t *testing.T) {
	_, results, report := run(t, "[[cases]]\nname = \"a\"\n[cases.request]\nbody = '''\n"+strings.Repeat("line\n", 5000)+"'''\n[cases.expect.request]\nbody = \"a\\nb\\n\"\n", guests+"/bare.wat")
	if Passed(results) || len(report) > 5000 || !strings.Contains(report, "… and 4802 more lines") {
		t.Errorf("%d bytes: %s", len(report), report[:min(len(report), 300)])
	}
}

// Of a plugin that refused its configuration only that is told: nothing else can be as expected.
func TestJudgeRefusal(t *testing.T) {
	reason := "no keys"
	expect := func(key string, want any) []config.Expectation {
		return []config.Expectation{{Path: []string{key}, Want: want}}
	}
	for _, tt := range []struct {
		name        string
		expected    []config.Expectation
		problem     string
		differences int
	}{
		{"of what was to serve", expect("verdict", "respond"), "the plugin refuses the configuration: no keys", 0},
		{"as expected", expect("refused", "no keys"), "", 0},
		{"for another reason", expect("refused", "no consumer"), "", 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			r := &Result{Case: &config.Case{Expect: tt.expected}, seen: &observation{refused: &reason, messages: map[string]*message{}}}
			if r.judge(); r.Problem != tt.problem || len(r.Differences) != tt.differences || r.Stuck() {
				t.Errorf("got %q, %v", r.Problem, r.Differences)
			}
		})
	}
}

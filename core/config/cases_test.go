package config

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/golden"
)

// casesFile is the file's name in goldens.
const casesFile = "/work/p.test.toml"

func TestCasesGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/cases/*.toml")
	if err != nil || len(files) < 4 {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".toml")
		t.Run(name, func(t *testing.T) {
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			kind := PluginCases
			if strings.HasPrefix(name, "route") {
				kind = RouteCases
			}
			golden.Compare(t, strings.TrimSuffix(file, ".toml")+".golden", parsedCases(t, data, kind))
		})
	}
}

// parsedCases is what a golden file says of a file of cases: all that is wrong with it, or all that was read.
func parsedCases(t *testing.T, data []byte, kind CaseKind) string {
	t.Helper()
	cs, err := ParseCases(casesFile, data, kind)
	var list Errors
	switch {
	case errors.As(err, &list):
		return err.Error() + "\n"
	case err != nil:
		t.Fatal(err)
	}
	text, err := json.MarshalIndent(cs.List, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range cs.List {
		text = append(text, "\n"+c.Key+" config "+string(c.Config)...)
	}
	return string(text) + "\n"
}

func TestWithExpect(t *testing.T) {
	const replacement = "  [cases.expect]\n  verdict = \"respond\"\n"
	tests := []struct {
		name, text string
		replaced   int // the case
		want       string
	}{
		{
			"the only case",
			"[[cases]]\nname = \"a\"\n[cases.expect]\nverdict = \"continue\"\n", 0,
			"[[cases]]\nname = \"a\"\n" + replacement,
		},
		{
			"several tables become one text, what stands between stays",
			"[[cases]]\nname = \"a\"\n  [cases.expect.request]\n  body = \"x\"\n  [cases.request]\n  path = \"/x\"\n  [cases.expect.response]\n  status = 200\n", 0,
			"[[cases]]\nname = \"a\"\n" + replacement + "  [cases.request]\n  path = \"/x\"\n",
		},
		{
			"comments stay",
			"# top\n\n[[cases]]\nname = \"a\"\n[cases.expect] # here\n# why\nverdict = \"fail\"\n\n# the next one\n[[cases]]\nname = \"b\"\n", 0,
			"# top\n\n[[cases]]\nname = \"a\"\n# why\n" + replacement + "\n# the next one\n[[cases]]\nname = \"b\"\n",
		},
		{
			"where nothing was expected",
			"[[cases]]\nname = \"a\"\n\n# the next one\n[[cases]]\nname = \"b\"", 1,
			"[[cases]]\nname = \"a\"\n\n# the next one\n[[cases]]\nname = \"b\"\n" + replacement,
		},
		{
			"in front of the next case",
			"[[cases]]\nname = \"a\"\n\n# the next one\n[[cases]]\nname = \"b\"\n", 0,
			"[[cases]]\nname = \"a\"\n" + replacement + "\n# the next one\n[[cases]]\nname = \"b\"\n",
		},
		{
			"text that looks like a header",
			"[[cases]]\nname = \"a\"\n[cases.request]\nbody = \"\"\"\n[[cases]]\n[cases.expect]\n\"\"\"\n[cases.expect]\nverdict = \"fail\"\n", 0,
			"[[cases]]\nname = \"a\"\n[cases.request]\nbody = \"\"\"\n[[cases]]\n[cases.expect]\n\"\"\"\n" + replacement,
		},
		{
			"a byte order mark",
			"\xef\xbb\xbf[[cases]]\nname = \"a\"\n[cases.expect]\nverdict = \"fail\"\n", 0,
			"\xef\xbb\xbf[[cases]]\nname = \"a\"\n" + replacement,
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			cs, err := ParseCases(casesFile, []byte(tt.text), PluginCases)
			if err != nil {
				t.Fatal(err)
			}
			got, err := cs.WithExpect(map[int]string{tt.replaced: replacement})
			if err != nil || string(got) != tt.want {
				t.Errorf("%v, got\n%s\nwant\n%s", err, got, tt.want)
			}
			if _, err := ParseCases(casesFile, got, PluginCases); err != nil {
				t.Errorf("what was written is not read again: %v", err)
			}
		})
	}
}

func TestWithExpectRefusesInlineTables(t *testing.T) {
	for _, text := range []string{
		"[[cases]]\nname = \"a\"\nexpect = { verdict = \"fail\" }\n",
		"[[cases]]\nname = \"a\"\nexpect.verdict = \"fail\"\n",
		"cases = [{ name = \"a\" }]\n",
	} {
		cs, err := ParseCases(casesFile, []byte(text), PluginCases)
		if err != nil {
			t.Fatal(err)
		}
		_, err = cs.WithExpect(map[int]string{0: "  [cases.expect]\n"})
		if err == nil || !strings.Contains(err.Error(), "write [cases.expect]") {
			t.Errorf("%s: got %v", text, err)
		}
	}
}

func TestEveryCaseKeyIsDocumented(t *testing.T) {
	data, err := os.ReadFile("../../docs/PLUGINS.md")
	if err != nil {
		t.Fatal(err)
	}
	_, text, _ := strings.Cut(string(data), "\n## Cases for a plugin\n")
	plugin, rest, found := strings.Cut(text, "\n## Cases for routes\n")
	routes, _, _ := strings.Cut(rest, "\n## ")
	if !found {
		t.Fatal("the sections are not there")
	}
	for _, tt := range []struct {
		text  string
		names []string
	}{
		{plugin, caseTable(PluginCases).names()},
		{plugin, requestTable(PluginCases).names()},
		{plugin, answerTable().names()},
		{plugin, fetchTable().names()},
		{plugin, expectTable(PluginCases).names()},
		{routes, caseTable(RouteCases).names()},
		{routes, upstreamAnswerTable().names()},
		{routes, expectTable(RouteCases).names()},
	} {
		for _, name := range tt.names {
			if !strings.Contains(tt.text, "`"+name+"`") && !strings.Contains(tt.text, "`"+name+" = ") {
				t.Errorf("docs/PLUGINS.md says nothing of %s", name)
			}
		}
	}
}

func FuzzCases(f *testing.F) {
	files, _ := filepath.Glob("testdata/cases/*.toml") // a constant pattern
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	const replacement = "  [cases.expect]\n  verdict = \"respond\"\n"
	f.Fuzz(func(t *testing.T, text string) {
		for _, kind := range []CaseKind{PluginCases, RouteCases} {
			cs, err := ParseCases(casesFile, []byte(text), kind)
			if err != nil {
				continue
			}
			for i := range cs.List {
				written, err := cs.WithExpect(map[int]string{i: replacement})
				if err != nil {
					continue
				}
				again, err := ParseCases(casesFile, written, kind)
				if err != nil {
					t.Fatalf("what was written is not read again: %v\n%s", err, written)
				}
				if got := again.List[i].Expect; len(again.List) != len(cs.List) || len(got) != 1 || got[0].Want != "respond" {
					t.Fatalf("case %d expects %v in\n%s", i, got, written)
				}
			}
		}
	})
}

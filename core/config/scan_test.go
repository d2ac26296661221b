package config

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// pathsOf returns the key path of everything in a decoded document.
func pathsOf(path string, raw any) []string {
	var paths []string
	add := func(path string, raw any) { paths = append(append(paths, path), pathsOf(path, raw)...) }
	switch raw := raw.(type) {
	case map[string]any:
		for name, inner := range raw {
			add(join(path, name), inner)
		}
	case []any:
		for i, inner := range raw {
			add(element(path, i), inner)
		}
	case []map[string]any:
		for i, inner := range raw {
			add(element(path, i), inner)
		}
	}
	return paths
}

func documents(tb testing.TB) []string {
	docs := []string{
		"", "\n", "# only a comment", "a = 1", "a=1\r\nb = 'x' # c\r\n", "\xef\xbb\xbfa = 1",
		"[a]\nb = 1\n[a.c]\nd.e.f = 2\n[[a.list]]\nx = 1\n[[a.list]]\n[a.list.sub]\ny = [1, [2, 3], []]\n",
		"a = {b = 1, c.d = 'x', e = [{f = 1}, {f = {g = 2}}]}\n",
		"a = [\n  1, # one\n  \"]\", '#',\n]\n",
		"\"quoted \\u00e9 \\\"\".'raw .' . bare = 1\n", "\"\" = 1\n[\"a.b\"]\nc = 1\n",
		"s = \"\"\"\nx = 1 \\\"\\\"\\\" \"\" \\\n  [y]\"\"\"\"\"\nt = '''\n[z]\n'''''\nu = \"\"\nv = ''\nw=\"\"\"\"\"\"\n",
		"d = 1979-05-27 07:32:00Z\nl = [1979-05-27, 07:32:00]\nn = [inf, -nan, 0x_f, 1e6, 1_000]\n",
		"[x.y.z]\n[x]\na = 1\n", "[[x]]\n[[x.y]]\n[x.y.z]\nw=1\n[[x.y]]\n[[x]]\n",
		"a = [{}, {},]\nb = {\n c = 1, # x\n}\n", "\"\\x41\\e\" = true\n",
		"a = [1]\na.b = 2\n", "[a]\n[a]\n", "a = \"unfinished\n", "a = [1\n", "[[a]\n", "a..b = 1", "= 1", "a",
		"\"\"\"\"\"\"=1", "a = \"\"\"\\\\\"\"\"\"\"\"", "a = " + strings.Repeat("[", 70) + strings.Repeat("]", 70),
	}
	files, err := filepath.Glob("testdata/*.toml")
	if err != nil {
		tb.Fatal(err)
	}
	for _, file := range append(files, "../../gateway.toml") {
		data, err := os.ReadFile(file)
		if err != nil {
			tb.Fatal(err)
		}
		docs = append(docs, string(data))
	}
	return docs
}

// checkScan compares what the scanner finds with what the library decodes.
func checkScan(t *testing.T, doc string) {
	t.Helper()
	text := withoutMark(doc)
	s := scan(text, func() {})
	if s.tooDeep != nil {
		return
	}
	table, err := decodeTOML(doc)
	if err != nil || len(s.repeated) > 0 {
		return
	}
	want := slices.Sorted(slices.Values(pathsOf("", table)))
	got := slices.Sorted(maps.Keys(s.places))
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("key paths of %q differ (-library +scanner):\n%s", doc, diff)
	}
	lines := strings.Split(text, "\n")
	for path, place := range s.places {
		if place.Line < 1 || place.Line > len(lines) || place.Col < 1 || place.Col > len([]rune(lines[place.Line-1])) {
			t.Errorf("%q: %s is at %v, which is outside of the document", doc, path, place)
		}
		if path != "" && len(parent(path)) >= len(path) {
			t.Errorf("parent of %q is %q", path, parent(path))
		}
		if up := parent(path); up != "" {
			if _, ok := s.places[up]; !ok {
				t.Errorf("%q: the parent %q of %q has no place", doc, up, path)
			}
		}
	}
}

func TestScanAgreesWithTheLibrary(t *testing.T) {
	for _, doc := range documents(t) {
		checkScan(t, doc)
	}
}

func FuzzPlaces(f *testing.F) {
	for _, doc := range documents(f) {
		f.Add(doc)
	}
	f.Fuzz(checkScan)
}

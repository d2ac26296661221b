package config

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// checkParts compares what is decoded in the smallest of parts with what is decoded as a whole.
func checkParts(t *testing.T, doc string) {
	t.Helper()
	text := withoutMark(doc)
	s := scan(text, func() {})
	if s.tooDeep != nil {
		return
	}
	want, wantErr := decodeTOML(text)
	got, err := decodeInParts(s, 0, func() {})
	if (err == nil) != (wantErr == nil) {
		t.Fatalf("%q in parts: %v; as a whole: %v", doc, err, wantErr)
	}
	if wantErr != nil {
		if err.Error() != wantErr.Error() {
			t.Errorf("%q in parts: %v; as a whole: %v", doc, err, wantErr)
		}
		return
	}
	if diff := cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%q differs (-whole +parts):\n%s", doc, diff)
	}
}

func partDocuments(tb testing.TB) []string {
	return append(documents(tb),
		"[[a]]\nb = 1\n[[a]]\nb = 2\n[a.c]\nd = 3\n[[a]]\n",
		"[u.a]\nx = 1\n[u.a.tls]\ny = 2\n[u.b]\n[u]\nz = 3\n",
		"[u]\na.x = 1\n[u.a]\ny = 2\n",
		"[u]\na.x = 1\n[u.b]\ny = 2\n[u.a]\n",
		"[u.a]\n[u]\na.x = 1\n",
		"u = {a = 1}\n[u.b]\n", "a = []\n[[a]]\n", "[[a]]\n[a]\n", "[a]\n[[a]]\n", "[a.b]\n[[a.b]]\n", "[[a.b]]\n[a.b]\n", "[[a.b]]\n[[a.b]]\n[a.c]\n",
		"[\"a[0]\"]\nx = 1\n[[\"a[0]\"]]\n", "[[a]]\n[[a]]\nx = {\n", "a = 1 \r[b]\nc = 1\r[d]\n", "[a]\nt = 1979-05-27T07:32:00Z\n[b]\nu = nan\n",
	)
}

func TestPartsAreTheWhole(t *testing.T) {
	for _, doc := range partDocuments(t) {
		checkParts(t, doc)
	}
}

func FuzzParts(f *testing.F) {
	for _, doc := range partDocuments(f) {
		f.Add(doc)
	}
	f.Fuzz(checkParts)
}

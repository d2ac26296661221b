package sdk

import (
	"io/fs"
	"os"
	"slices"
	"strings"
	"testing"
)

// A copy of an SDK must have all that builds, whatever is added to it.
func TestNothingIsLeftOut(t *testing.T) {
	tests := []struct {
		name, folder string
		embedded     fs.FS
		ignored      []string // at the top of the folder
	}{
		{"Go", "go", Go(), nil},
		{"Rust", "rust", Rust(), []string{"target", "tests", "Cargo.lock", ".gitignore"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			want := files(t, os.DirFS(tt.folder), tt.ignored)
			if got := files(t, tt.embedded, nil); !slices.Equal(got, want) {
				t.Errorf("embedded:\n%s\nin the folder:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
			}
		})
	}
}

func files(t *testing.T, folder fs.FS, ignored []string) (names []string) {
	t.Helper()
	err := fs.WalkDir(folder, ".", func(path string, entry fs.DirEntry, err error) error {
		top, _, _ := strings.Cut(path, "/")
		if err == nil && !entry.IsDir() && !slices.Contains(ignored, top) {
			names = append(names, path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

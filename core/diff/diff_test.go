package diff

import (
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest/golden"
)

func load(t testing.TB, file string) *config.Config {
	t.Helper()
	c, err := config.Load(file)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// Each folder of testdata has a before.toml, an after.toml and what is printed of them.
func TestGolden(t *testing.T) {
	t.Setenv("OLD_SECRET", "hush-hush-hush-old")
	t.Setenv("NEW_SECRET", "hush-hush-hush-new")
	folders, err := filepath.Glob("testdata/*")
	if err != nil || len(folders) < 6 {
		t.Fatalf("%d cases, %v", len(folders), err)
	}
	for _, folder := range folders {
		t.Run(filepath.Base(folder), func(t *testing.T) {
			before, after := load(t, filepath.Join(folder, "before.toml")), load(t, filepath.Join(folder, "after.toml"))
			changes := Of(before, after)
			var got strings.Builder
			if err := Print(&got, changes); err != nil {
				t.Fatal(err)
			}
			asJSON, err := json.Marshal(changes)
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(got.String()+string(asJSON), "hush") {
				t.Errorf("a secret is shown:\n%s\n%s", got.String(), asJSON)
			}
			here, err := filepath.Abs(folder)
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, filepath.Join(folder, "golden.txt"), strings.ReplaceAll(got.String(), here, "FOLDER"))
			if same := Of(after, after); len(same) != 0 {
				t.Errorf("a config differs from itself: %+v", same)
			}
			if back := Of(after, before); len(back) != len(changes) {
				t.Errorf("%d changes forth, %d back", len(changes), len(back))
			}
		})
	}
}

// Package golden compares what tests make with files that say what it should be.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Update tells that golden files are to be written anew: go test -update. It does not change while tests run.
var Update = flag.Bool("update", false, "write the golden files anew")

// Compare fails the test when the file holds anything but got, which it writes there first under -update.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *Update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

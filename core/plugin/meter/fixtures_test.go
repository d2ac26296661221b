package meter

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

var update = flag.Bool("update", false, "compile testdata/*.wat to *.hex")

func fixture(t testing.TB, name string) []byte {
	t.Helper()
	return wat.Module(t, filepath.Join("testdata", name+".wat"))
}

func TestFixturesMatchTheirText(t *testing.T) { wat.Check(t, "testdata", *update) }

package plugin

import (
	"flag"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

var update = flag.Bool("update", false, "compile testdata/guests anew")

func TestFixturesAreCompiled(t *testing.T) {
	wat.Check(t, filepath.Join("..", "..", "testdata", "guests"), *update)
}

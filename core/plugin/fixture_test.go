package plugin

import (
	"flag"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

var update = flag.Bool("update", false, "compile testdata/*.wat anew")

func TestFixturesAreCompiled(t *testing.T) { wat.Check(t, "testdata", *update) }

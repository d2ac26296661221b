// Package quickstart holds only the test of the example.
package quickstart

import (
	"testing"

	"github.com/sallyport/sallyport/examples/exampletest"
)

func TestExample(t *testing.T) {
	exampletest.Start(t, "key-auth").Readme(7)
}

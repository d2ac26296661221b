// Package jwt holds only the test of the example.
package jwt

import (
	"testing"

	"github.com/sallyport/sallyport/examples/exampletest"
)

func TestExample(t *testing.T) {
	exampletest.Start(t, "jwt-auth", "acl").Readme(14)
}

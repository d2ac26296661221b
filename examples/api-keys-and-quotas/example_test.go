// Package quotas holds only the test of the example.
package quotas

import (
	"testing"
	"time"

	"github.com/sallyport/sallyport/examples/exampletest"
)

func TestExample(t *testing.T) {
	e := exampletest.Start(t, "key-auth", "acl")
	// A quota begins anew with the day, which must not be while it is used up.
	now := time.Now().UTC()
	if midnight := now.Truncate(24 * time.Hour).Add(24 * time.Hour); midnight.Sub(now) < 2*time.Minute {
		e.Until("the next day has begun", func() bool { return time.Now().After(midnight) })
	}
	e.Readme(12)
}

package gatewaytest

import (
	"fmt"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// An address that a config gives up is free for the next one at once, however soon that comes.
func TestAddressTakenUpAgain(t *testing.T) {
	more := fmt.Sprintf(", %q", free.Address(t))
	config := func(more string) string { return fmt.Sprintf("[server]\nlisten = [%q%s]\n", listen, more) + hello }
	g := Start(t, config(""))
	for range 200 {
		if err := g.ApplyText(config(more)); err != nil {
			t.Fatal(err)
		}
		if err := g.ApplyText(config("")); err != nil {
			t.Fatal(err)
		}
	}
}

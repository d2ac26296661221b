//go:build !race

package gatewaytest

import (
	"fmt"
	"testing"
)

// accessLogs are the settings whose cost is of interest.
func accessLogs() map[string]string {
	return map[string]string{
		"off":      "access = \"off\"\n",
		"file":     "access = \"access.log\"\n",
		"sampled":  "access = \"access.log\"\nsample = { \"2xx\" = 0.01 }\n",
		"captured": "access = \"access.log\"\nrequest_headers = [\"User-Agent\", \"X-Api-Key\"]\nresponse_headers = [\"Server\"]\n",
		"combined": "access = \"access.log\"\nformat = \"combined\"\n",
		"filters":  "access = \"access.log\"\nfilters = true\n",
	}
}

func accessGateway(t testing.TB, log string) *client {
	g := Start(t, fmt.Sprintf("[log]\n%s", log)+routes(bareBackend(t), `
[[routes]]
name = "plain"
path = "/orders/:id"
upstream = "b"
filters = [{ use = "ratelimit", rate = "1000000/s" }]
`))
	return newClient(t, g.Addr, smallRequest)
}

// Lines take no memory of their own, whatever they hold.
func TestAllocationsWithAccessLog(t *testing.T) {
	for name, log := range accessLogs() {
		c := accessGateway(t, log)
		for range 2000 { // the two buffers have grown
			c.do()
		}
		if n := testing.AllocsPerRun(2000, c.do); n > 3 {
			t.Errorf("%s: got %v allocations, want 3 at most", name, n)
		} else {
			t.Logf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkAccessLog(b *testing.B) {
	for name, log := range accessLogs() {
		b.Run(name, func(b *testing.B) {
			c := accessGateway(b, log)
			b.ReportAllocs()
			for b.Loop() {
				c.do()
			}
		})
	}
}

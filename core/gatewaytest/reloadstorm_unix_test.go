//go:build unix

package gatewaytest

import (
	"fmt"
	"runtime"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// TestReloadStorm: reload after reload under load makes an upstream with checks, ejection, breakers, limits and slow starts anew; no request fails, and no
// goroutine, timer or socket of those before is left.
func TestReloadStorm(t *testing.T) {
	f := &fleet{}
	for range 3 {
		address := free.Address(t)
		f.addresses = append(f.addresses, address)
		f.processes = append(f.processes, listening(t, "counting", address))
	}
	config := func(n int) string {
		more := fmt.Sprintf("limits = { max_connections = %d, max_requests = 1000, max_pending = 1000 }\nslow_start = \"1s\"\nsticky = {}\nmax_idle = %d\n[[routes]]", 100+n%3, 10+n)
		// None of them ails: what is late is so because the machine has other work.
		patient := strings.NewReplacer(`"250ms"`, `"20s"`, `try_timeout = "500ms"`, `try_timeout = "20s"`, ` timeout = "300ms"`, ` timeout = "20s"`, `timeout = "10s"`, `timeout = "1m"`)
		return strings.Replace(patient.Replace(fmt.Sprintf(fleetConfig, quoted(f.addresses), "ewma")), "[[routes]]", more, 1)
	}
	f.g = Start(t, config(0))
	v := f.visitors(4)
	Until(t, "the gateway serves", func() bool { return v.asked.Load() > 200 })
	goroutines, open := runtime.NumGoroutine(), descriptors(t)
	for n := range 100 {
		if err := f.g.ApplyText(config(n + 1)); err != nil {
			t.Fatal(err)
		}
	}
	served := v.asked.Load()
	Until(t, "the gateway serves on", func() bool { return v.asked.Load() > served+200 })
	v.end()
	if v.failed.Load() > 0 {
		t.Errorf("%d of %d failed: %v", v.failed.Load(), v.asked.Load(), v.complaint)
	}
	Until(t, "no goroutine is left", func() bool { return runtime.NumGoroutine() <= goroutines })
	Until(t, "no socket is left", func() bool { return descriptors(t) <= open })
	total := f.g.Status().Upstreams["b"][0].Standing.Check.Total
	Until(t, "the checks go on", func() bool { return f.g.Status().Upstreams["b"][0].Standing.Check.Total > total })
}

package gatewaytest

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// The limits of gateway.toml hold: how many may wait in place, and for how long.
func TestFetchLimits(t *testing.T) {
	var asked atomic.Int64
	release := make(chan struct{})
	profiles := Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if asked.Add(1) > 2 {
			<-r.Context().Done()
			return
		}
		<-release
		io.WriteString(w, "profile")
	})
	const secret = "0123456789abcdef0123456789abcdef"
	toml := func(limits string) string {
		all := upstreamsTOML("b", Backend(t, Echo), "profiles", profiles) + tokenTOML + "secrets = [\"" + secret + "\"]\n"
		return strings.Replace(all, "[plugins.token]\n", "[plugins.token]\n"+limits, 1)
	}
	g := startPlugin(t, "token", toolchain.StockGo(t, "testdata/token-go"), toml("max_waiting = 1\nfetch_timeout = \"20s\"\n"))
	bearer := "Authorization: Bearer " + token("HS256", fmt.Sprintf(`{"sub":"jo","exp":%d}`, time.Now().Add(time.Hour).Unix()), func(text []byte) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(text)
		return m.Sum(nil)
	})
	get := func(fields ...string) int {
		status, _, _ := g.Get("/", append(fields, bearer)...)
		return status
	}
	statuses := make(chan int, 2)
	go func() { statuses <- get("X-Hold: yes") }()
	Until(t, "one waits in place", func() bool { return asked.Load() == 1 })
	if status := get("X-Hold: yes"); status != 503 || !strings.Contains(g.Logs(), "unavailable") {
		t.Errorf("one more: got %d\n%s", status, g.Logs())
	}
	go func() { statuses <- get() }()
	Until(t, "another one waits without being held", func() bool { return asked.Load() == 2 })
	close(release)
	for range 2 {
		if status := <-statuses; status != 200 {
			t.Errorf("got %d\n%s", status, g.Logs())
		}
	}

	// From now on nobody is answered.
	if err := g.ApplyText(toml("fetch_timeout = \"30ms\"\n")); err != nil {
		t.Fatal(err)
	}
	for _, fields := range [][]string{{"X-Hold: yes"}, nil} {
		if status := get(fields...); status != 503 || !strings.Contains(g.Logs(), "timed out") {
			t.Errorf("%v: got %d\n%s", fields, status, g.Logs())
		}
	}
}

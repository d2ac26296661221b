package gatewaytest

import (
	"fmt"
	"io"
	"net/http"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// Hundreds of clients that send their heads or bodies a few bytes at a time, or read so, do not keep others from being served.
func TestSlowHTTPTest(t *testing.T) {
	program, err := exec.LookPath("slowhttptest")
	if err != nil {
		wat.Missing(t, "slowhttptest")
	}
	const attackers = 400
	content := make([]byte, 8<<20)
	g := Start(t, routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		if r.URL.Path == "/large" {
			w.Header().Set("Content-Length", fmt.Sprint(len(content)))
			w.Write(content)
			return
		}
		io.WriteString(w, "fine")
	}), allToB))
	for _, attack := range []struct {
		name string
		mode []string
		held bool // the endpoint, by the attackers
	}{
		{"heads", []string{"-H", "-i", "1", "-x", "24"}, false},
		{"bodies", []string{"-B", "-i", "1", "-s", "100000", "-x", "10"}, true},
		{"reads", []string{"-X", "-w", "512", "-y", "1024", "-n", "1", "-z", "32", "-k", "3"}, true},
	} {
		t.Run(attack.name, func(t *testing.T) {
			cmd := exec.Command(program, append(attack.mode, "-c", fmt.Sprint(attackers), "-r", fmt.Sprint(attackers), "-l", "3", "-p", "3", "-u", g.URL+"/large")...)
			var said strings.Builder
			cmd.Stdout, cmd.Stderr = &said, &said
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			served, most := serveMeanwhile(t, g, ended)
			if err := <-ended; err != nil {
				t.Errorf("slowhttptest: %v\n%s", err, said.String())
			}
			if served == 0 || attack.held && most < attackers/20 {
				t.Errorf("%d requests were served beside at most %d slow ones", served, most)
			}
			Until(t, "the attackers are gone", func() bool { return g.inFlight() == 0 })
		})
	}
}

// serveMeanwhile sends requests until the attack has ended, whose result it leaves in ended. It returns how many were served, and the most
// that were in flight at once.
func serveMeanwhile(t *testing.T, g *Gateway, ended chan error) (served int, most int64) {
	t.Helper()
	tick := time.NewTicker(5 * time.Millisecond) // leaves the cores to the attackers
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			ended <- err
			return served, most
		case <-tick.C:
			most = max(most, g.inFlight())
			if status, _, body := g.Get("/"); status != 200 || body != "fine" {
				t.Errorf("got %d %q", status, body)
			}
			served++
		}
	}
}

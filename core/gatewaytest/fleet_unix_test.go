//go:build unix

package gatewaytest

import (
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gateway"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// runCounting answers /count with how many requests it has had, /ail?percent= by failing at that share of them from now on, /healthz with 200, and everything
// else, once it has read the content, with "fine" or a 500.
func runCounting(address string) {
	var count, percent atomic.Int64
	http.HandleFunc("/count", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, count.Load()) })
	http.HandleFunc("/healthz", func(http.ResponseWriter, *http.Request) {})
	http.HandleFunc("/ail", func(_ http.ResponseWriter, r *http.Request) {
		n, _ := strconv.ParseInt(r.URL.Query().Get("percent"), 10, 64)
		percent.Store(n)
	})
	http.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		count.Add(1)
		_, _ = io.Copy(io.Discard, r.Body)
		if rand.N(int64(100)) < percent.Load() {
			w.WriteHeader(500)
		}
		_, _ = io.WriteString(w, "fine")
	})
	fmt.Fprintln(os.Stderr, "backend:", http.ListenAndServe(address, nil))
}

// fleet is ten servers, each in a process of its own, and a gateway ahead of them.
type fleet struct {
	g         *Gateway
	addresses []string
	processes []*exec.Cmd
}

// The places of those that something happens to.
const (
	killed, killedToo, stopped, ailingOne, fleetSize = 0, 1, 2, 3, 10
)

const fleetConfig = `[upstreams.b]
endpoints = %s
policy = %q
connect_timeout = "250ms"
retries = 3
retry = { on = ["connect", "reset", "timeout", "500", "502", "503"], try_timeout = "500ms", backoff = "10ms" }
health = { path = "/healthz", interval = "300ms", unhealthy_interval = "300ms", jitter = "50ms", timeout = "300ms", unhealthy_threshold = 2 }
eject = { consecutive_errors = 5, interval = "1s", base_time = "500ms", max_time = "1s", max_share = 40, success_rate = { min_requests = 50 } }
breaker = { failures = 5, ratio = 30, min_requests = 20, window = "1s", open_for = "500ms", max_open_for = "1s", statuses = [500, 502, 503, 504] }
[[routes]]
name = "all"
path = "/*rest"
upstream = "b"
timeout = "10s"
`

func startFleet(t *testing.T, policy string) *fleet {
	f := &fleet{}
	for range fleetSize {
		address := free.Address(t)
		f.addresses = append(f.addresses, address)
		f.processes = append(f.processes, listening(t, "counting", address))
	}
	f.g = Start(t, fmt.Sprintf(fleetConfig, quoted(f.addresses), policy))
	return f
}

// ask asks a server itself.
func (f *fleet) ask(t *testing.T, place int, path string) string {
	t.Helper()
	resp, err := http.Get("http://" + f.addresses[place] + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != 200 {
		t.Fatalf("%s: %d %v", path, resp.StatusCode, err)
	}
	return string(text)
}

// harm kills two, stops one, and has one answer 500 to half of what it is asked.
func (f *fleet) harm(t *testing.T) {
	t.Helper()
	for _, place := range []int{killed, killedToo} {
		if err := f.processes[place].Process.Kill(); err != nil {
			t.Fatal(err)
		}
		_ = f.processes[place].Wait() // it tells of the signal
	}
	signal(t, f.processes[stopped].Process, syscall.SIGSTOP)
	f.ask(t, ailingOne, "/ail?percent=50")
}

// heal takes back what harm has done.
func (f *fleet) heal(t *testing.T) {
	t.Helper()
	for _, place := range []int{killed, killedToo} {
		f.processes[place] = listening(t, "counting", f.addresses[place])
	}
	signal(t, f.processes[stopped].Process, syscall.SIGCONT)
	f.ask(t, ailingOne, "/ail?percent=0")
}

// sent returns how many requests the servers have had, by place: what they say themselves, and of those that cannot be asked how many the gateway has tried
// there, with or without success.
func (f *fleet) sent(t *testing.T) (counts [fleetSize]int64) {
	t.Helper()
	for place, e := range f.g.Status().Upstreams["b"] {
		if place == killed || place == killedToo || place == stopped {
			counts[place] = int64(e.Requests)
			continue
		}
		n, err := strconv.ParseInt(f.ask(t, place, "/count"), 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		counts[place] = n
	}
	return counts
}

// isWhole reports whether all servers get their part again.
func (f *fleet) isWhole(before []gateway.EndpointStatus) bool {
	for place, e := range f.g.Status().Upstreams["b"] {
		if !e.Standing.Usable || e.Breaker != "closed" || e.Requests < before[place].Requests+10 {
			return false
		}
	}
	return true
}

// visitors ask the gateway over and over, one in four times with content, and count what they see.
type visitors struct {
	client    http.Client
	stop      chan struct{}
	wait      sync.WaitGroup
	asked     atomic.Int64
	failed    atomic.Int64
	mu        sync.Mutex
	complaint map[string]int // by what went wrong
}

func (f *fleet) visitors(count int) *visitors {
	v := &visitors{stop: make(chan struct{}), complaint: map[string]int{}}
	v.client = http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: count}, Timeout: 20 * time.Second}
	for range count {
		v.wait.Go(func() { v.visit(f.g.URL) })
	}
	return v
}

func (v *visitors) visit(url string) {
	for n := 0; ; n++ {
		select {
		case <-v.stop:
			return
		default:
		}
		v.asked.Add(1)
		if why := v.ask(url, n); why != "" {
			v.failed.Add(1)
			v.mu.Lock()
			v.complaint[why]++
			v.mu.Unlock()
		}
	}
}

// ask returns what is wrong with the answer, "" if nothing is.
func (v *visitors) ask(url string, n int) string {
	r := must(http.NewRequest("GET", url+"/", nil))
	if n%4 == 3 {
		r = must(http.NewRequest("PUT", url+"/", strings.NewReader(strings.Repeat("x", 5000))))
	}
	resp, err := v.client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	if text, err := io.ReadAll(resp.Body); err != nil || resp.StatusCode != 200 || string(text) != "fine" {
		return fmt.Sprintf("%d %.100s %v", resp.StatusCode, text, err)
	}
	return ""
}

func (v *visitors) end() {
	close(v.stop)
	v.wait.Wait()
	v.client.CloseIdleConnections()
}

// outageTime is how long the servers are away: SALLYPORT_OUTAGE_TIME says it for measurements.
func outageTime(t *testing.T) time.Duration {
	if text := os.Getenv("SALLYPORT_OUTAGE_TIME"); text != "" {
		d, err := time.ParseDuration(text)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	return 3 * time.Second
}

// Of ten servers two are killed, one is stopped and one fails at random, all under load: clients hardly see it, the others are not sent much more than clients
// ask for, and who is back gets its part within the configured times.
func TestFleetOutage(t *testing.T) {
	for _, policy := range []string{"round_robin", "ewma"} {
		t.Run(policy, func(t *testing.T) { testFleetOutage(t, policy) })
	}
}

func testFleetOutage(t *testing.T, policy string) {
	f := startFleet(t, policy)
	v := f.visitors(24)
	status := func() []gateway.EndpointStatus { return f.g.Status().Upstreams["b"] }
	none := make([]gateway.EndpointStatus, fleetSize)
	Until(t, "all servers serve", func() bool { return f.isWhole(none) && v.asked.Load() > 1000 })

	asked, sent := v.asked.Load(), f.sent(t)
	f.harm(t)
	time.Sleep(outageTime(t)) // the outage itself, not a wait for anything
	asked, now := v.asked.Load()-asked, f.sent(t)
	more := int64(0)
	for place := range now {
		more += now[place] - sent[place]
	}
	for place, e := range status()[:ailingOne+1] {
		if e.Opened == 0 && e.Standing.Ejection.Count == 0 && e.Standing.Usable {
			t.Errorf("nobody has noticed that server %d fails: %+v", place, e)
		}
	}

	f.heal(t)
	began, before := time.Now(), status()
	Until(t, "all servers serve again", func() bool { return f.isWhole(before) })
	recovered := time.Since(began)
	v.end()

	ratio := float64(more) / float64(asked)
	t.Logf("%d of %d requests failed, %v; in the outage %d were asked for and %d sent: %.3f; all served again after %v, of which the configured times take up to 3.75s; %+v",
		v.failed.Load(), v.asked.Load(), v.complaint, asked, more, ratio, recovered.Round(time.Millisecond), f.g.Status().Totals["b"])
	if v.failed.Load()*1000 >= v.asked.Load() {
		t.Errorf("%d of %d failed, want less than 0.1 %%: %v", v.failed.Load(), v.asked.Load(), v.complaint)
	}
	if ratio > 1.2 {
		t.Errorf("%.3f requests sent for each, want at most 1.2", ratio)
	}
	Until(t, "nothing is in flight", func() bool {
		return !slices.ContainsFunc(status(), func(e gateway.EndpointStatus) bool { return e.Active != 0 })
	})
	if strings.Contains(f.g.Logs(), "panic") {
		t.Error(f.g.Logs())
	}
}

package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/output"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// TestMain lets the test binary be the gateway, so that tests can run it as a process of its own.
func TestMain(m *testing.M) {
	if os.Getenv("SALLYPORT_TEST_PROCESS") != "" {
		main()
	}
	os.Exit(m.Run())
}

// running is a gateway process.
type running struct {
	t           *testing.T
	cmd         *exec.Cmd
	file        string
	addr, admin string
	log         output.Text
}

// launch starts the gateway with more TOML behind its own tables and waits until it is ready.
func launch(t *testing.T, toml string) *running {
	t.Helper()
	r := &running{t: t, file: filepath.Join(t.TempDir(), "gateway.toml"), addr: free.Address(t), admin: free.Address(t)}
	r.write(toml)
	r.cmd = exec.Command(os.Args[0], "run", "-c", r.file)
	r.cmd.Env = append(os.Environ(), "SALLYPORT_TEST_PROCESS=1")
	r.cmd.Stderr = &r.log
	r.cmd.Stdout = &r.log
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = r.cmd.Process.Kill() // it may have ended already
		_ = r.cmd.Wait()
	})
	gatewaytest.Until(t, "the gateway is ready", func() bool {
		status, _ := r.get("http://" + r.admin + "/readyz")
		return status == 200
	})
	return r
}

func (r *running) write(toml string) {
	r.t.Helper()
	text := fmt.Sprintf("[server]\nlisten = [%q]\ndrain_timeout = \"60s\"\n[admin]\nlisten = %q\n[log]\naccess = \"stdout\"\n[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\n%s", r.addr, r.admin, toml)
	r.save(text)
}

// save puts another config in the place of the one that there is, at once: a gateway could read one that is written in part.
func (r *running) save(text string) {
	r.t.Helper()
	if err := os.WriteFile(r.file+".new", []byte(text), 0o600); err != nil {
		r.t.Fatal(err)
	}
	if err := os.Rename(r.file+".new", r.file); err != nil {
		r.t.Fatal(err)
	}
}

func (r *running) get(url string) (int, string) {
	resp, err := http.Get(url)
	if err != nil {
		return 0, err.Error()
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body) // a cut body shows in what is compared
	return resp.StatusCode, string(body)
}

// What the process counts is told on the admin listener, with what it is and what came of a change that could not be read.
func TestMetricsOfTheProcess(t *testing.T) {
	r := launch(t, static("one"))
	if status, _ := r.get("http://" + r.addr + "/"); status != 200 {
		t.Fatalf("got %d", status)
	}
	if err := os.WriteFile(r.file, []byte("[server]\nlisten = 5\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "the metrics tell of it", func() bool {
		_, text := r.get("http://" + r.admin + "/metrics")
		return strings.Contains(text, `sallyport_route="r",url_scheme="http"} 1`) && strings.Contains(text, "sallyport_config_last_reload_successful 0") &&
			strings.Contains(text, `sallyport_build_info{service_version="`+version+`"} 1`)
	})
	if status, text := r.get("http://" + r.admin + "/stats"); status != 200 || !strings.Contains(text, `"last_failed": true`) || !strings.Contains(text, `"2xx": 1`) {
		t.Errorf("got %d %s", status, text)
	}
}

func static(body string) string {
	return fmt.Sprintf("[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 200, body = %q }\n", body)
}

func TestRunReloadsAndStops(t *testing.T) {
	r := launch(t, static("one"))
	if status, body := r.get("http://" + r.addr + "/"); status != 200 || body != "one" {
		t.Fatalf("got %d %s", status, body)
	}
	r.write(static("two"))
	gatewaytest.Until(t, "the changed file is served", func() bool { _, body := r.get("http://" + r.addr + "/"); return body == "two" })

	r.write("[[routes]]\nnonsense = 1\n")
	gatewaytest.Until(t, "the bad file is refused", func() bool { return strings.Contains(r.log.String(), "nonsense") })
	if _, body := r.get("http://" + r.addr + "/"); body != "two" {
		t.Errorf("a bad file changed what is served: %s", body)
	}

	r.write(static("three"))
	gatewaytest.Until(t, "the mended file is served", func() bool { _, body := r.get("http://" + r.addr + "/"); return body == "three" })
	before := strings.Count(r.log.String(), `"reloaded"`)
	if err := r.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "SIGHUP reloads what has not changed", func() bool { return strings.Count(r.log.String(), `"reloaded"`) > before })
	gatewaytest.Until(t, "the access log has the request", func() bool { return strings.Contains(r.log.String(), `"route":"r"`) })

	resp, err := http.Post("http://"+r.admin+"/reload", "application/json", nil)
	if err != nil || resp.StatusCode != 200 {
		t.Errorf("POST /reload: %v %v", resp, err)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}

func TestPluginFilesAreWatched(t *testing.T) {
	r := launch(t, static("one"))
	dir := filepath.Join(filepath.Dir(r.file), "plugins")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "bad.wasm"), []byte("not wasm"), 0o644); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "the bad plugin is reported", func() bool { return strings.Contains(r.log.String(), `"plugin":"bad"`) })
	if _, body := r.get("http://" + r.addr + "/"); body != "one" {
		t.Errorf("got %s", body)
	}
}

func TestSignalTellsWhatPluginsDid(t *testing.T) {
	guest := filepath.Join(t.TempDir(), "bare.wasm")
	if err := os.WriteFile(guest, wat.Module(t, "../../testdata/guests/bare.wat"), 0o644); err != nil {
		t.Fatal(err)
	}
	toml := strings.Replace(static("one"), "[[routes]]", "[plugins.bare]\nfile = \""+guest+"\"\n\n[[filters]]\nuse = \"bare\"\n\n[[routes]]", 1)
	r := launch(t, toml)
	if status, body := r.get("http://" + r.addr + "/"); status != 200 {
		t.Errorf("got %d %s", status, body)
	}
	if err := r.cmd.Process.Signal(syscall.SIGUSR2); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Log(r.log.String())
		}
	})
	gatewaytest.Until(t, "the log tells", func() bool {
		return strings.Contains(r.log.String(), `"name":"bare"`) && strings.Contains(r.log.String(), `"calls":2`)
	})
}

// Until drain_delay is over only /readyz tells that the gateway is about to go; a second signal does not wait for that.
func TestDrainDelay(t *testing.T) {
	r := launch(t, static("one"))
	r.write(static("two"))
	text, err := os.ReadFile(r.file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(r.file, bytes.Replace(text, []byte("drain_timeout"), []byte("drain_delay = \"1h\"\ndrain_timeout"), 1), 0o600); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "the changed file is in force", func() bool {
		_, body := r.get("http://" + r.admin + "/config")
		return strings.Contains(body, `"drain_delay": "1h"`)
	})
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "the log says that it serves on", func() bool { return strings.Contains(r.log.String(), `"delay":"1h0m0s"`) })
	if status, _ := r.get("http://" + r.admin + "/readyz"); status != 503 {
		t.Errorf("readyz: got %d", status)
	}
	if status, body := r.get("http://" + r.addr + "/"); status != 200 || body != "two" {
		t.Errorf("got %d %s, want requests to be served as before", status, body)
	}
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}

// On SIGTERM what runs is finished and nothing new is taken.
func TestDrain(t *testing.T) {
	arrived, let := make(chan struct{}), make(chan struct{})
	backend := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-let
		fmt.Fprint(w, "finished")
	}))
	defer backend.Close()
	r := launch(t, fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\n[[routes]]\nname = \"r\"\npath = \"/\"\nupstream = \"b\"\n", backend.Listener.Addr()))
	answer := make(chan string, 1)
	go func() {
		_, body := r.get("http://" + r.addr + "/")
		answer <- body
	}()
	<-arrived
	if err := r.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	gatewaytest.Until(t, "nothing new is taken", func() bool {
		c, err := net.Dial("tcp", r.addr)
		if err == nil {
			c.Close()
		}
		return err != nil
	})
	if status, _ := r.get("http://" + r.admin + "/readyz"); status != 503 {
		t.Errorf("readyz: got %d while draining", status)
	}
	if status, _ := r.get("http://" + r.admin + "/livez"); status != 200 {
		t.Errorf("livez: got %d while draining", status)
	}
	close(let)
	if body := <-answer; body != "finished" {
		t.Errorf("got %q", body)
	}
	if err := r.cmd.Wait(); err != nil {
		t.Errorf("the gateway ended with %v", err)
	}
}

const fiveMistakes = `[server]
listen = ["127.0.0.1:0"]
drain_timout = "3s"

[upstreams.orders]
endpoints = ["127.0.0.1"]

[[routes]]
name = "a"
path = "/a"
upstream = "order"

[[routes]]
name = "b"
path = "b"
timeout = 5
upstream = "orders"
`

func TestCheckNamesEveryMistake(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.toml")
	if err := os.WriteFile(file, []byte(fiveMistakes), 0o600); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	if code := dispatch([]string{"check", "-c", file}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d", code)
	}
	var places []string
	scanner := bufio.NewScanner(&stderr)
	for scanner.Scan() {
		rest, _ := strings.CutPrefix(scanner.Text(), file+":")
		places = append(places, strings.Join(strings.SplitN(rest, ":", 4)[:3], ":"))
	}
	want := []string{"3:1: server.drain_timout", "6:14: upstreams.orders.endpoints[0]", "11:1: routes[0].upstream", "15:1: routes[1].path", "16:1: routes[1].timeout"}
	if got := strings.Join(places, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
	if code := dispatch([]string{"check", "--json", "-c", file}, &stdout, &stderr); code != 1 {
		t.Errorf("exit code %d", code)
	}
	var result struct {
		OK     bool
		Errors []config.Error
	}
	if err := json.Unmarshal(stdout.Bytes(), &result); err != nil || result.OK || len(result.Errors) != 5 || result.Errors[0].Line != 3 {
		t.Errorf("--json: %v, %s", err, stdout.String())
	}
}

func TestVerbs(t *testing.T) {
	good := filepath.Join(t.TempDir(), "gateway.toml")
	if err := os.WriteFile(good, []byte("[server]\nlisten = [\"127.0.0.1:0\"]\n"+static("x")), 0o600); err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		args []string
		code int
		want string
	}{
		{[]string{"version"}, 0, "sallyport "},
		{[]string{"help"}, 0, "sallyport run"},
		{nil, 2, "sallyport run"},
		{[]string{"dance"}, 2, `"dance"`},
		{[]string{"check", "-c", good}, 0, "ok"},
		{[]string{"check", "--json", "-c", good}, 0, `"ok": true`},
		{[]string{"check", "-c", good + ".missing"}, 1, "no such file"},
		{[]string{"run", "-c", good + ".missing"}, 1, "no such file"},
		{[]string{"check", "--dance"}, 2, "dance"},
	}
	for _, test := range tests {
		t.Run(strings.Join(test.args, " "), func(t *testing.T) {
			var out bytes.Buffer
			if code := dispatch(test.args, &out, &out); code != test.code || !strings.Contains(out.String(), test.want) {
				t.Errorf("got %d, %s", code, out.String())
			}
		})
	}
}

func TestStartTellsEveryReason(t *testing.T) {
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "gateway.toml")
	toml := fmt.Sprintf("[server]\nlisten = [%q]\n%s", taken.Addr(), static("x"))
	if err := os.WriteFile(file, []byte(toml), 0o600); err != nil {
		t.Fatal(err)
	}
	var stderr bytes.Buffer
	if code := dispatch([]string{"run", "-c", file}, io.Discard, &stderr); code != 1 || !strings.Contains(stderr.String(), file+":2:11: server.listen[0]: cannot listen") {
		t.Errorf("got %d: %s", code, stderr.String())
	}
}

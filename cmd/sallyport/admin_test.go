package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

// command runs a verb in this process and returns what it prints and its exit code.
func command(args ...string) (out, errors string, code int) {
	var stdout, stderr bytes.Buffer
	code = dispatch(args, &stdout, &stderr)
	return stdout.String(), stderr.String(), code
}

const served = `
[upstreams.u]
endpoints = ["127.0.0.1:1", { address = "127.0.0.1:2", weight = 2 }]
[[routes]]
name = "users"
path = "/users/:id"
methods = ["GET"]
headers = { X-Api-Key = "hush" }
query = { v = "2" }
upstream = "u"
timeout = "5s"
filters = [{ use = "ratelimit", rate = "10/s" }]
[[routes]]
name = "me"
host = "*.example.com"
path = "/users/me"
respond = { status = 204 }
[[routes]]
name = "old"
path = "/old"
redirect = "/new"
`

// plain takes away what differs from run to run.
func plain(text, dir string) string {
	text = regexp.MustCompile(`\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ`).ReplaceAllString(text, "TIME")
	text = regexp.MustCompile(`[0-9a-f]{64}`).ReplaceAllString(text, "SHA256")
	text = regexp.MustCompile(`\b[0-9a-f]{32}\b`).ReplaceAllString(text, "ID")
	text = regexp.MustCompile(`\b[0-9a-f]{12}\b`).ReplaceAllString(text, "HASH")
	text = regexp.MustCompile(`127\.0\.0\.1:\d{4,5}`).ReplaceAllString(text, "ADDRESS")
	text = regexp.MustCompile(`goroutines +\d+`).ReplaceAllString(text, "goroutines N")
	text = strings.ReplaceAll(text, dir, "FOLDER")
	return regexp.MustCompile(` {2,}`).ReplaceAllString(text, "  ") // columns are as wide as addresses
}

func TestAdminAgainstARunningGateway(t *testing.T) {
	r := launch(t, served)
	steps := []struct {
		args []string
		code int
	}{
		{[]string{"status"}, 0},
		{[]string{"routes"}, 0},
		{[]string{"explain", "GET", "https://x/users/7?v=2", "-H", "X-Api-Key: hush"}, 0},
		{[]string{"explain", "GET", "http://a.example.com/users/me"}, 0},
		{[]string{"explain", "POST", "/users/7?v=3", "-H", "X-Api-Key:hush"}, 0},
		{[]string{"refusals", "get", "404"}, 0},
		{[]string{"refusals", "teapot"}, 0},
		{[]string{"plugins"}, 0},
		{[]string{"upstreams"}, 0},
		{[]string{"upstreams", "u"}, 0},
		{[]string{"upstreams", "none"}, 1},
		{[]string{"drain", "u", "127.0.0.1:1"}, 0},
		{[]string{"weight", "u", "127.0.0.1:2", "7"}, 0},
		{[]string{"upstreams"}, 0},
		{[]string{"undrain", "u", "127.0.0.1:1"}, 0},
		{[]string{"weight", "u", "127.0.0.1:2", "config"}, 0},
		{[]string{"weight", "u", "127.0.0.1:2", "5000"}, 1},
		{[]string{"drain", "u", "127.0.0.1:9"}, 1},
		{[]string{"log-level"}, 0},
		{[]string{"log-level", "debug"}, 0},
		{[]string{"log-level", "loud"}, 1},
		{[]string{"reload"}, 0},
		{[]string{"diff"}, 0},
		{[]string{"diff", "1", "99"}, 1},
	}
	var got strings.Builder
	run := func(args []string, want int) {
		out, errors, code := command(append([]string{"admin", "-c", r.file}, args...)...)
		fmt.Fprintf(&got, "$ sallyport admin %s\n%s%s", strings.Join(args, " "), out, errors)
		if code != want {
			t.Errorf("%v: exit code %d, want %d: %s", args, code, want, errors)
		}
		if code != 0 {
			fmt.Fprintf(&got, "exit code %d\n", code)
		}
	}
	if status, _ := r.get("http://" + r.addr + "/nothing"); status != 404 {
		t.Errorf("got %d", status)
	}
	gatewaytest.Until(t, "the refusal is known", func() bool {
		out, _, _ := command("admin", "-c", r.file, "refusals", "/NOTHING")
		return strings.Contains(out, "404")
	})
	for _, step := range steps {
		run(step.args, step.code)
	}
	r.write(strings.Replace(served, `"5s"`, `"7s"`, 1))
	gatewaytest.Until(t, "the changed file is in force", func() bool {
		out, _, _ := command("admin", "-c", r.file, "history")
		return strings.Contains(out, "file")
	})
	run([]string{"diff"}, 1)
	r.write("[[routes]]\nnonsense = 1\n")
	run([]string{"reload"}, 1)
	out, _, _ := command("admin", "-c", r.file, "history")
	if !strings.Contains(out, "(and 3 more)") || !strings.Contains(out, "file") || !strings.Contains(out, "start") {
		t.Errorf("the history is\n%s", out)
	}
	text := regexp.MustCompile(`(?m)^since .*\n`).ReplaceAllString(plain(got.String(), filepath.Dir(r.file)), "")
	compareFile(t, "testdata/admin.golden", text)
}

func compareFile(t *testing.T, file, got string) {
	t.Helper()
	if os.Getenv("UPDATE") != "" {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if string(want) != got {
		t.Errorf("%s is\n%s\nwant\n%s\n(UPDATE=1 writes it anew)", file, got, want)
	}
}

// All that can be asked answers JSON, too.
func TestAdminJSON(t *testing.T) {
	r := launch(t, served)
	for _, args := range []string{"status", "routes", "explain GET /users/7", "refusals", "plugins", "upstreams", "upstreams u", "config", "history", "log-level", "reload", "diff"} {
		out, errors, code := command(append([]string{"admin", "--json", "-c", r.file}, strings.Fields(args)...)...)
		var value map[string]any
		if err := json.Unmarshal([]byte(out), &value); err != nil || code != 0 || len(value) == 0 {
			t.Errorf("%s: %d %v %s %s", args, code, err, out, errors)
		}
	}
	out, _, _ := command("admin", "-c", r.file, "config")
	if !strings.Contains(out, "routes[0].timeout") || strings.Contains(out, "hush") {
		t.Errorf("got\n%s", out)
	}
}

// A token is asked for, taken from the environment or a file, and changed by a reload; the interface moves with its address.
func TestAdminTokenAndMove(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("SALLYPORT_ADMIN_TOKEN", "")
	tokenFile := filepath.Join(dir, "token")
	keep := func(token string) {
		if err := os.WriteFile(tokenFile, []byte(token+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	keep("first-token-0123456789")
	r := launch(t, static("one"))
	table := func(listen string) {
		r.save(fmt.Sprintf("[server]\nlisten = [%q]\n[admin]\nlisten = %q\ntoken = { file = %q }\n[log]\naccess = \"off\"\n[sandbox]\ndir = \"plugins\"\ncache = \"cache\"\n%s", r.addr, listen, tokenFile, static("one")))
	}
	table(r.admin)
	gatewaytest.Until(t, "the token is asked for", func() bool { _, _, code := command("admin", "-c", r.file, "status"); return code == 1 })
	if _, errors, _ := command("admin", "-c", r.file, "status"); !strings.Contains(errors, "401") || !strings.Contains(errors, "SALLYPORT_ADMIN_TOKEN") {
		t.Errorf("got %s", errors)
	}
	if _, errors, code := command("admin", "-c", r.file, "--token-file", tokenFile, "status"); code != 0 {
		t.Errorf("with the file: %d %s", code, errors)
	}
	t.Setenv("SALLYPORT_ADMIN_TOKEN", "first-token-0123456789")
	if _, errors, code := command("admin", "-c", r.file, "status"); code != 0 {
		t.Errorf("with the environment: %d %s", code, errors)
	}
	before, socket := r.admin, "unix:"+filepath.Join(dir, "a.sock")
	keep("second-token-0123456789")
	table(socket)
	t.Setenv("SALLYPORT_ADMIN_TOKEN", "second-token-0123456789")
	gatewaytest.Until(t, "it is at the socket", func() bool { _, _, code := command("admin", "-c", r.file, "status"); return code == 0 })
	gatewaytest.Until(t, "it has left its address", func() bool { _, _, code := command("admin", "--address", before, "status"); return code == 2 })
	if _, errors, code := command("admin", "--address", socket, "reload"); code != 0 {
		t.Errorf("%d %s", code, errors)
	}
	if strings.Contains(r.log.String(), "token-0123456789") {
		t.Error("a token is in the log")
	}
}

func TestAdminMisuse(t *testing.T) {
	file := filepath.Join(t.TempDir(), "gateway.toml")
	if err := os.WriteFile(file, []byte("[admin]\nlisten = \""+free.Address(t)+"\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	backend := gatewaytest.Backend(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") })
	tests := []struct {
		args, want string
		code       int
	}{
		{"admin", "SUBCOMMAND", 2},
		{"admin nonsense", "there is no subcommand", 2},
		{"admin drain u", "1 arguments", 2},
		{"admin weight u a:1 heavy --address " + backend, "no weight", 2},
		{"admin -c " + file + " status", "no gateway could be asked", 2},
		{"admin -c /none/gateway.toml status", "no such file", 2},
		{"admin status --token-file /none", "no such file", 2},
		{"admin status --address " + backend, "not what an admin interface", 2},
		{"admin status --token secret", "not defined: -token", 2},
		{"routes --explain GET", "METHOD URL", 2},
		{"routes extra", "METHOD URL", 2},
		{"routes -c /none/gateway.toml", "no such file", 1},
		{"diff one", "OLD NEW", 2},
		{"diff /none/a.toml /none/b.toml", "no such file", 2},
	}
	for _, test := range tests {
		out, errors, code := command(strings.Fields(test.args)...)
		if code != test.code || !strings.Contains(out+errors, test.want) {
			t.Errorf("%s: exit code %d, %s", test.args, code, errors)
		}
	}
}

func TestRoutesAndDiff(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, []byte("[server]\nlisten = [\"127.0.0.1:8080\"]\n"+text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	one, two := write("one.toml", served), write("two.toml", strings.Replace(served, `rate = "10/s"`, `rate = "20/s"`, 1))
	wrong := write("wrong.toml", strings.Replace(served, `path = "/old"`, "path = \"/users/:x\"\nmethods = [\"GET\"]\nheaders = { x-api-key = \"hush\" }\nquery = { v = \"2\" }", 1))
	var got strings.Builder
	tests := []struct {
		args []string
		code int
	}{
		{[]string{"routes", "-c", one}, 0},
		{[]string{"routes", "-c", one, "--explain", "GET", "https://b.example.com/users/me?v=2", "-H", "X-Api-Key: hush"}, 0},
		{[]string{"routes", "-c", one, "--explain", "GET", "/%zz"}, 0},
		{[]string{"routes", "-c", one, "--explain", "G T", "/x"}, 2},
		{[]string{"routes", "-c", wrong}, 1},
		{[]string{"diff", one, one}, 0},
		{[]string{"diff", one, two}, 1},
		{[]string{"diff", "--json", one, two}, 1},
		{[]string{"diff", one, filepath.Join(dir, "none.toml")}, 2},
	}
	for _, test := range tests {
		out, errors, code := command(test.args...)
		fmt.Fprintf(&got, "$ sallyport %s\n%s%s", strings.Join(test.args, " "), out, errors)
		if code != test.code {
			t.Errorf("%v: exit code %d, want %d: %s", test.args, code, test.code, errors)
		}
	}
	compareFile(t, "testdata/routes.golden", strings.ReplaceAll(got.String(), dir, "FOLDER"))
}

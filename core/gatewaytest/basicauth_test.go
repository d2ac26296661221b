package gatewaytest

import (
	"bufio"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/bcrypt"

	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

const basicTOML = `[passwords.staff]
file = "users.htpasswd"
[plugins.basic-auth]
grants = ["passwords:staff"]
[[routes]]
name = "basic"
path = "/basic"
upstream = "b"
filters = [{ use = "basic-auth", on_error = "skip", config = { passwords = "staff", groups = { jo = ["staff"] } } }]
[[routes]]
name = "open"
path = "/open"
upstream = "b"
`

func basicOf(user, password string) string {
	return "Authorization: Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// writeUsers writes the file of users, whose hashes take so long.
func writeUsers(t *testing.T, dir string, cost int, users map[string]string) {
	t.Helper()
	var text strings.Builder
	for user, password := range users {
		hash, err := bcrypt.GenerateFromPassword([]byte(password), cost)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&text, "%s:%s\n", user, hash)
	}
	if err := os.WriteFile(filepath.Join(dir, "users.htpasswd"), []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}

func startBasic(t *testing.T, cost int) *Gateway {
	t.Helper()
	dir := t.TempDir()
	if err := os.MkdirAll(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", "basic-auth.wasm"), toolchain.TinyGo(t, "../../plugins/basic-auth"), 0o644); err != nil {
		t.Fatal(err)
	}
	writeUsers(t, dir, cost, map[string]string{"jo": "secret", "jürgen": "pässwörd"})
	return StartIn(t, dir, upstreamsTOML("b", Backend(t, Echo))+basicTOML)
}

func (g *Gateway) hashed() int64 { return g.Status().Passwords["staff"].Hashed }

func TestBasicAuth(t *testing.T) {
	g := startBasic(t, bcrypt.MinCost)
	encoded := strings.TrimPrefix(basicOf("jo", "secret"), "Authorization: Basic ")
	for _, tt := range []struct {
		name   string
		fields []string
		status int
		told   string // to the upstream
	}{
		{"right", []string{basicOf("jo", "secret")}, 200, "X-Consumer: jo"},
		{"remembered", []string{basicOf("jo", "secret")}, 200, "X-Consumer-Groups: staff"},
		{"UTF-8", []string{basicOf("jürgen", "pässwörd")}, 200, "X-Consumer: jürgen"},
		{"scheme in another case", []string{"authorization: bASIC " + encoded}, 200, "X-Consumer: jo"},
		{"forged", []string{basicOf("jo", "secret"), "X-Consumer: root", "x_consumer: root"}, 200, "X-Consumer: jo"},
		{"wrong", []string{basicOf("jo", "wrong")}, 401, ""},
		{"unknown", []string{basicOf("eve", "secret")}, 401, ""},
		{"none", nil, 401, ""},
		{"a tab", []string{"Authorization: Basic\t" + encoded}, 401, ""},
		{"two fields", []string{basicOf("jo", "secret"), basicOf("jo", "secret")}, 401, ""},
		{"two fields, two cases", []string{basicOf("jo", "secret"), "AUTHORIZATION: Bearer x"}, 401, ""},
		{"NUL inside", []string{basicOf("jo", "secret\x00")}, 401, ""},
		{"no UTF-8", []string{basicOf("jo", "secret\xff")}, 401, ""},
		{"a line end inside", []string{basicOf("jo", "secret\r\nX-Admin: 1")}, 401, ""},
		{"huge", []string{basicOf("jo", strings.Repeat("a", 9000))}, 401, ""},
		{"longer than bcrypt looks", []string{basicOf("jo", "secret"+strings.Repeat("\x01", 80))}, 401, ""},
	} {
		status, header, body := g.Get("/basic", tt.fields...)
		if status != tt.status || !strings.Contains(body, tt.told) || strings.Contains(body, "root") || strings.Contains(body, encoded) {
			t.Errorf("%s: got %d\n%s", tt.name, status, body)
		}
		if status == 401 && header.Get("WWW-Authenticate") != `Basic realm="restricted", charset="UTF-8"` {
			t.Errorf("%s: got %v", tt.name, header)
		}
	}
	if got := g.hashed(); got != 4 {
		t.Errorf("%d hashes were computed, want 4: two right passwords, a wrong one and nobody's", got)
	}
	if strings.Contains(g.Logs(), "secret") {
		t.Errorf("a password is in the log:\n%s", g.Logs())
	}
	for _, raw := range []string{"Authorization: Basic " + encoded + "\x00", "Authorization : Basic " + encoded} {
		if status := rawStatus(t, g.Addr, raw); status != 400 {
			t.Errorf("%q: got %d", raw, status)
		}
	}
}

// rawStatus sends a field as it is.
func rawStatus(t *testing.T, address, line string) int {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := io.WriteString(c, "GET /basic HTTP/1.1\r\nHost: a\r\n"+line+"\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	answer, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// Many requests with the same password are one hash.
func TestBasicAuthManyAreOneHash(t *testing.T) {
	g := startBasic(t, 10)
	var wait sync.WaitGroup
	for range 30 {
		wait.Go(func() {
			if status, _, body := g.Get("/basic", basicOf("jo", "secret")); status != 200 || !strings.Contains(body, "X-Consumer: jo\n") {
				t.Errorf("got %d\n%s", status, body)
			}
		})
	}
	wait.Wait()
	if got := g.hashed(); got != 1 {
		t.Errorf("%d hashes were computed, want 1", got)
	}
}

// What is no longer in the file is refused at once, whatever is remembered; what is there is not forgotten without need.
func TestBasicAuthReload(t *testing.T) {
	g := startBasic(t, bcrypt.MinCost)
	want := func(status int, user, password string) {
		t.Helper()
		if got, _, _ := g.Get("/basic", basicOf(user, password)); got != status {
			t.Errorf("%s:%s: got %d, want %d", user, password, got, status)
		}
	}
	reload := func() error {
		t.Helper()
		return g.Reload()
	}
	want(200, "jo", "secret")
	want(401, "jo", "changed")
	if err := reload(); err != nil {
		t.Fatal(err)
	}
	want(200, "jo", "secret")
	if got := g.hashed(); got != 2 {
		t.Errorf("a reload without a change made %d hashes, want 2", got)
	}
	writeUsers(t, g.Dir, bcrypt.MinCost, map[string]string{"jo": "changed", "ann": "new"})
	if err := reload(); err != nil {
		t.Fatal(err)
	}
	want(401, "jo", "secret")
	want(200, "jo", "changed")
	want(200, "ann", "new")
	want(401, "jürgen", "pässwörd")
	if err := os.WriteFile(filepath.Join(g.Dir, "users.htpasswd"), []byte("# broken\njo:hunter2\nann:$apr1$abcdefgh$abcdefghijklmnopqrstuv\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	err := reload()
	if err == nil || !strings.Contains(err.Error(), "users.htpasswd:2: no hash: plain text is refused") ||
		!strings.Contains(err.Error(), "users.htpasswd:3: MD5 ($apr1$) is refused") || strings.Contains(err.Error(), "hunter2") {
		t.Errorf("got %v", err)
	}
	want(200, "jo", "changed")
}

// A flood of wrong passwords is answered, with 401 or 503, and another route goes on.
func TestBasicAuthFlood(t *testing.T) {
	g := startBasic(t, 9)
	var wait sync.WaitGroup
	var mu sync.Mutex
	seen := map[int]int{}
	for i := range 150 {
		wait.Go(func() {
			status, header, _ := g.Get("/basic", basicOf("jo", fmt.Sprint("guess", i)))
			mu.Lock()
			defer mu.Unlock()
			seen[status]++
			if status == 503 && header.Get("Retry-After") == "" {
				t.Error("503 without Retry-After")
			}
		})
	}
	for range 50 {
		if status, _, _ := g.Get("/open"); status != 200 {
			t.Errorf("the other route answers %d", status)
		}
	}
	wait.Wait()
	if seen[401] == 0 || seen[401]+seen[503] != 150 {
		t.Errorf("got %v", seen)
	}
	if status, _, _ := g.Get("/basic", basicOf("jo", "secret")); status != 200 {
		t.Errorf("afterwards the right password is answered %d", status)
	}
}

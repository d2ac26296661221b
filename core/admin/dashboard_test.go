package admin_test

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// The page may load nothing but its own parts, and says so.
func TestDashboardIsServed(t *testing.T) {
	l := start(t, withToken, twoRoutes)
	resp, page := l.ask("GET", "/", "") // without the token: the page itself asks for it
	policy := resp.Header.Get("Content-Security-Policy")
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/html; charset=utf-8" || resp.Header.Get("X-Frame-Options") != "DENY" ||
		resp.Header.Get("X-Content-Type-Options") != "nosniff" || resp.Header.Get("Cache-Control") != "no-store" {
		t.Errorf("got %d %v", resp.StatusCode, resp.Header)
	}
	for _, want := range []string{"default-src 'none'", "script-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"} {
		if !strings.Contains(policy, want) {
			t.Errorf("the policy lacks %s: %s", want, policy)
		}
	}
	if strings.Contains(policy, "unsafe") || strings.Contains(policy, "http") {
		t.Errorf("the policy is %s", policy)
	}
	kinds := map[string]string{".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml"}
	named := regexp.MustCompile(`(?:src|href)="(/[^"]*)"`).FindAllStringSubmatch(page, -1)
	if len(named) < 4 {
		t.Errorf("the page names %q", named)
	}
	for _, m := range named {
		resp, _ := l.ask("GET", m[1], "")
		if resp.StatusCode != 200 || resp.Header.Get("Content-Security-Policy") != policy || resp.Header.Get("X-Content-Type-Options") != "nosniff" ||
			resp.Header.Get("Cache-Control") != "no-store" || resp.Header.Get("Content-Type") != kinds[filepath.Ext(m[1])] {
			t.Errorf("%s: %d %v", m[1], resp.StatusCode, resp.Header)
		}
	}
	for path, want := range map[string]int{"/dashboard/nothing.js": 404, "/dashboard/..%2Fadmin.go": 404, "/dashboard/": 401, "/index.html": 401} {
		if resp, _ := l.ask("GET", path, ""); resp.StatusCode != want {
			t.Errorf("%s: got %d, want %d", path, resp.StatusCode, want)
		}
	}
}

// scripts returns the page's scripts by name.
func scripts(t *testing.T) map[string]string {
	t.Helper()
	files, err := filepath.Glob("dashboard/*.js")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d scripts: %v", len(files), err)
	}
	texts := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.Base(file)] = string(text)
	}
	return texts
}

// One name that another script does not export keeps the whole page from starting. This holds where there is no browser to try it.
func TestDashboardScriptsFindEachOther(t *testing.T) {
	texts := scripts(t)
	exported := regexp.MustCompile(`(?m)^export (?:async )?(?:const|function|class) (\w+)`)
	exports := map[string][]string{}
	for file, text := range texts {
		for _, m := range exported.FindAllStringSubmatch(text, -1) {
			exports[file] = append(exports[file], m[1])
		}
	}
	imported := regexp.MustCompile(`(?m)^import \{ ([^}]*) \} from "\./([^"]*)";$`)
	for file, text := range texts {
		found := imported.FindAllStringSubmatch(text, -1)
		if len(found) != strings.Count("\n"+text, "\nimport ") {
			t.Errorf("%s has imports of another form", file)
		}
		for _, m := range found {
			for name := range strings.SplitSeq(m[1], ", ") {
				if !slices.Contains(exports[m[2]], name) {
					t.Errorf("%s imports %s, which %s does not export", file, name, m[2])
				}
			}
		}
	}
}

// Whatever the scripts ask for is there.
func TestDashboardAsksWhatThereIs(t *testing.T) {
	l := start(t, "", twoRoutes)
	asked := map[string]bool{}
	calls := regexp.MustCompile("(?:\\bget\\(|\\bask\\(\"(GET|POST|PUT)\", |path: )[\"`](/[a-z/-]*)")
	changes := regexp.MustCompile(`"(POST|PUT)", endpointPath\([^"]*"(\w+)"\)`)
	for _, text := range scripts(t) {
		for _, m := range calls.FindAllStringSubmatch(text, -1) {
			asked[cmp.Or(m[1], "GET")+" "+m[2]] = true
		}
		for _, m := range changes.FindAllStringSubmatch(text, -1) {
			asked[m[1]+" /upstreams/u/endpoints/127.0.0.1:1/"+m[2]] = true
		}
	}
	for _, want := range []string{"GET /stats", "GET /explain", "POST /reload", "PUT /log-level", "GET /config/diff", "PUT /upstreams/u/endpoints/127.0.0.1:1/weight"} {
		if !asked[want] {
			t.Errorf("not found in the scripts: %s; found are %v", want, slices.Sorted(maps.Keys(asked)))
		}
	}
	for call := range asked {
		method, path, _ := strings.Cut(call, " ")
		if resp, text := l.ask(method, path, "{", sent); strings.Contains(text, "no such endpoint") || resp.StatusCode == 405 {
			t.Errorf("%s: %d %s", call, resp.StatusCode, text)
		}
	}
}

// Nothing in the page can make text into markup or code, or asks anybody else.
func TestDashboardHasNoSinks(t *testing.T) {
	files, err := filepath.Glob("dashboard/*")
	if err != nil || len(files) < 10 {
		t.Fatalf("%d files: %v", len(files), err)
	}
	sinks := regexp.MustCompile(`innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|\beval\(|new Function|srcdoc|javascript:|style=|<script>|onclick="|https?://`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for i, line := range strings.Split(string(text), "\n") {
			line = strings.ReplaceAll(line, "http://www.w3.org/2000/svg", "")
			line = strings.ReplaceAll(line, `placeholder: "https://api.example.com/orders/7"`, "")
			if found := sinks.FindString(line); found != "" {
				t.Errorf("%s:%d: %s", file, i+1, found)
			}
		}
	}
}

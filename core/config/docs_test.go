package config

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// documented says which heading of docs/CONFIG.md has the keys of which table.
func documented() map[string][]string {
	return map[string][]string{
		"Top level":                          rootKeys().names(),
		"server":                             serverKeys().names(),
		"server.listen[]":                    listenerKeys().names(),
		"server.listen[].limits":             limitKeys().names(),
		"admin":                              adminKeys().names(),
		"admin.tls":                          adminTLSKeys().names(),
		"log":                                logKeys().names(),
		"metrics":                            metricsKeys().names(),
		"metrics.otlp":                       metricsOTLPKeys().names(),
		"sandbox":                            append(sandboxKeys().names(), pluginLimitKeys().names()...),
		"plugins.NAME":                       pluginKeys().names(),
		"upstreams.NAME":                     append(upstreamKeys().names(), balanceUpstreamKeys().names()...),
		"upstreams.NAME.endpoints[]":         endpointKeys().names(),
		"upstreams.NAME.sticky":              cookieKeys().names(),
		"kv.NAME":                            kvKeys().names(),
		"limits.NAME":                        namedLimitKeys().names(),
		"stores.NAME":                        storeKeys().names(),
		"stores.NAME.redis":                  redisKeys().names(),
		"jwt.NAME":                           jwtKeys().names(),
		"passwords.NAME":                     passwordKeys().names(),
		"schemas.NAME":                       schemaKeys().names(),
		"routes":                             routeKeys().names(),
		"routes[].redirect":                  redirectKeys().names(),
		"routes[].respond":                   respondKeys().names(),
		"A plugin as a filter":               pluginFilterKeys().names(),
		"ratelimit":                          rateLimitKeys().names(),
		"ratelimit: a limit":                 ruleKeys().names(),
		"ratelimit: cost":                    costKeys().names(),
		"headers":                            headersKeys().names(),
		"headers: request and response":      headerEditKeys().names(),
		"rewrite":                            rewriteKeys().names(),
		"compress":                           compressKeys().names(),
		"server.listen[].tls":                tlsKeys().names(),
		"server.listen[].tls.certificates[]": certificateKeys().names(),
		"upstreams.NAME.tls":                 upstreamTLSKeys().names(),
		"upstreams.NAME.discover":            discoverKeys().names(),
		"upstreams.NAME.health":              healthKeys().names(),
		"upstreams.NAME.eject":               ejectKeys().names(),
		"eject.success_rate":                 successRateKeys().names(),
		"upstreams.NAME.retry":               retryKeys().names(),
		"upstreams.NAME.limits":              upstreamLimitsKeys().names(),
		"upstreams.NAME.breaker":             breakerKeys().names(),
		"routes[].concurrency":               concurrencyKeys().names(),
		"routes[].split[]":                   branchKeys().names(),
		"routes[].split_sticky":              splitCookieKeys().names(),
		"routes[].mirror":                    mirrorKeys().names(),
		"tracing":                            tracingKeys().names(),
		"tracing.otlp":                       otlpKeys().names(),
		"routes[].tracing":                   routeTracingKeys().names(),
	}
}

func readDocs(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile("../../docs/CONFIG.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func TestEveryKeyIsDocumented(t *testing.T) {
	row := regexp.MustCompile("^\\| `([a-z_0-9]+)` \\|")
	got := map[string][]string{}
	heading := ""
	for line := range strings.SplitSeq(readDocs(t), "\n") {
		if strings.HasPrefix(line, "#") {
			heading = strings.TrimLeft(line, "# ")
		}
		if match := row.FindStringSubmatch(line); match != nil {
			got[heading] = append(got[heading], match[1])
		}
	}
	want := documented()
	for _, names := range []map[string][]string{want, got} {
		for heading := range names {
			slices.Sort(names[heading])
			names[heading] = slices.Compact(names[heading])
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("keys by heading of docs/CONFIG.md (-code +docs):\n%s", diff)
	}
}

// The list above must name every table of keys that the package has.
func TestEveryTableIsInTheList(t *testing.T) {
	here, err := os.ReadFile("docs_test.go")
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), ".go") || strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasSuffix(f.Name.Name, "Keys") || strings.HasPrefix(f.Name.Name, "read") {
				continue
			}
			found++
			if !strings.Contains(string(here), f.Name.Name+"().names()") {
				t.Errorf("%s (%s) is compared with no heading", f.Name.Name, entry.Name())
			}
		}
	}
	if found < 15 {
		t.Errorf("only %d tables of keys found: does the test still look for the right thing?", found)
	}
}

func TestExamplesInTheDocsAreRight(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```").FindAllStringSubmatch(readDocs(t), -1)
	if len(blocks) < 8 {
		t.Errorf("%d examples, want at least 8", len(blocks))
	}
	from := fakeSources()
	from.env = func(string) (string, bool) { return "secret-secret-secret", true }
	for _, block := range blocks {
		text := block[1]
		if !strings.Contains(text, "[server]") {
			text += "\n[server]\nlisten = [\"127.0.0.1:8080\"]\n"
		}
		if _, err := parse(goldenFile, []byte(text), from); err != nil {
			t.Errorf("%v\nin\n%s", err, text)
		}
	}
}

// The defaults in the docs are those of the code: each is written into a file, which must then read as one without.
func TestDefaultsInTheDocs(t *testing.T) {
	tables := map[string]string{
		"server":                     "[server]\nlisten = [\"127.0.0.1:1\"]\n%s",
		"server.listen[]":            "[server]\nlisten = [{ address = \"127.0.0.1:1\", %s }]\n",
		"server.listen[].tls":        "[server]\nlisten = [{ address = \"127.0.0.1:1\", tls = { certificates = [{ cert = \"a\", key = \"b\" }], %s } }]\n",
		"server.listen[].limits":     "[server]\nlisten = [{ address = \"127.0.0.1:1\", limits = { %s } }]\n",
		"admin":                      "[admin]\n%s",
		"log":                        "[log]\n%s",
		"metrics":                    "[metrics]\n%s",
		"metrics.otlp":               "[metrics]\notlp = { endpoint = \"http://a:4317\", %s }\n",
		"sandbox":                    "[sandbox]\n%s",
		"upstreams.NAME":             "[upstreams.u]\nendpoints = [\"a:1\"]\n%s",
		"upstreams.NAME.endpoints[]": "[upstreams.u]\nendpoints = [{ address = \"a:1\", %s }]\n",
		"upstreams.NAME.sticky":      "[upstreams.u]\nendpoints = [\"a:1\"]\nsticky = { %s }\n",
		"kv.NAME":                    "[kv.n]\n%s",
		"limits.NAME":                "[limits.n]\nrate = \"1/s\"\n%s",
		"upstreams.NAME.discover":    "[upstreams.u]\ndiscover = { dns = \"a:1\", %s }\n",
		"upstreams.NAME.tls":         "[upstreams.u]\nendpoints = [\"a:1\"]\ntls = { %s }\n",
		"upstreams.NAME.health":      "[upstreams.u]\nendpoints = [\"a:1\"]\nhealth = { path = \"/\", %s }\n",
		"upstreams.NAME.eject":       "[upstreams.u]\nendpoints = [\"a:1\"]\neject = { %s }\n",
		"eject.success_rate":         "[upstreams.u]\nendpoints = [\"a:1\"]\neject.success_rate = { %s }\n",
		"routes":                     "[[routes]]\nname = \"r\"\npath = \"/\"\nupstream = \"w\"\n%s\n[upstreams.w]\nendpoints = [\"a:1\"]\n",
		"routes[].redirect":          "[[routes]]\nname = \"r\"\npath = \"/\"\nredirect = { to = \"/\", %s }\n",
		"routes[].respond":           "[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { %s }\n",
		"jwt.NAME":                   "[jwt.j]\njwks_url = \"https://a/\"\n%s",
		"passwords.NAME":             "[passwords.n]\nfile = \"a\"\n%s",
		"schemas.NAME":               "[schemas.s]\nschema = '{}'\n%s",
		"A plugin as a filter":       "[[filters]]\nuse = \"ip-rules\"\n%s",
		"stores.NAME":                "[stores.n]\nredis = { addresses = [\"a:1\"] }\n%s",
		"stores.NAME.redis":          "[stores.n.redis]\naddresses = [\"a:1\"]\n%s",
		"ratelimit: a limit":         "[[filters]]\nuse = \"ratelimit\"\nrate = \"1/s\"\n%s",
		"ratelimit: cost":            "[[filters]]\nuse = \"ratelimit\"\nrate = \"9/s\"\ncost = { from = \"header:a\", max = 9, %s }\n",
		"ratelimit":                  "[[filters]]\nuse = \"ratelimit\"\nrate = \"1/s\"\n%s",
		"compress":                   "[[filters]]\nuse = \"compress\"\n%s",
		"upstreams.NAME.retry":       "[upstreams.u]\nendpoints = [\"a:1\"]\nretry = { %s }\n",
		"upstreams.NAME.limits":      "[upstreams.u]\nendpoints = [\"a:1\"]\nlimits = { %s }\n",
		"upstreams.NAME.breaker":     "[upstreams.u]\nendpoints = [\"a:1\"]\nbreaker = { %s }\n",
		"routes[].concurrency":       "[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = {}\nconcurrency = { limit = 1, %s }\n",
		"routes[].split[]":           "[[routes]]\nname = \"r\"\npath = \"/\"\nsplit = [{ upstream = \"w\", %s }]\n[upstreams.w]\nendpoints = [\"a:1\"]\n",
		"routes[].split_sticky":      "[[routes]]\nname = \"r\"\npath = \"/\"\nsplit = [{ upstream = \"w\" }]\nsplit_sticky = { cookie = \"c\", %s }\n[upstreams.w]\nendpoints = [\"a:1\"]\n",
		"tracing":                    "[tracing]\notlp = { endpoint = \"http://a:1\" }\n%s",
		"tracing.otlp":               "[tracing.otlp]\nendpoint = \"http://a:1\"\n%s",
		"routes[].mirror":            "[[routes]]\nname = \"r\"\npath = \"/\"\nupstream = \"w\"\nmirror = { upstream = \"w\", %s }\n[upstreams.w]\nendpoints = [\"a:1\"]\n",
	}
	row := regexp.MustCompile("^\\| `([a-z_0-9]+)` \\|[^|]*\\| `([^`]+)`[^|]*\\|")
	heading, checked := "", 0
	for line := range strings.SplitSeq(readDocs(t), "\n") {
		if strings.HasPrefix(line, "#") {
			heading = strings.TrimLeft(line, "# ")
		}
		match := row.FindStringSubmatch(line)
		if match == nil || match[1] == "use" || heading == "plugins.NAME" {
			continue
		}
		table, ok := tables[heading]
		if !ok {
			t.Errorf("%s has a default, but the test does not know its table", heading)
			continue
		}
		checked++
		without := readTable(t, table, "")
		with := readTable(t, table, match[1]+" = "+match[2])
		if diff := cmp.Diff(without, with); diff != "" {
			t.Errorf("%s: %s = %s is not the default (-without +with):\n%s", heading, match[1], match[2], diff)
		}
	}
	if checked < 30 {
		t.Errorf("only %d defaults found", checked)
	}
}

func readTable(t *testing.T, table, setting string) string {
	t.Helper()
	text := strings.Replace(table, "%s", setting, 1)
	if !strings.Contains(text, "[server]") {
		text += "\n[server]\nlisten = [\"127.0.0.1:1\"]\n"
	}
	got := parsed(t, []byte(text))
	if !strings.HasPrefix(got, "{") {
		t.Fatalf("%s\nin\n%s", got, text)
	}
	return got
}

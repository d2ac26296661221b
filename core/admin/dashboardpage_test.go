//go:build !race

// Without the race detector: it would look at Chromium's waiting, not at the gateway, whose part is looked at elsewhere.
package admin_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// refusal is what a browser's console says of an answer that was no success.
const refusal = "Failed to load resource: the server responded with a status of "

// served is a gateway with routes that answer, refuse and fail.
func served(t *testing.T) string {
	return fmt.Sprintf(`
[metrics]
enabled = true
[upstreams.u]
endpoints = [%q, { address = %q, weight = 2 }]
[[routes]]
name = "orders"
path = "/orders/*rest"
upstream = "u"
[[routes]]
name = "limited"
path = "/limited"
upstream = "u"
filters = [{ use = "ratelimit", rate = "1/h", burst = 1 }]
[[routes]]
name = "trapped"
path = "/trapped"
respond = { status = 204 }
filters = [{ use = "trap", on_error = "deny" }]
`, gatewaytest.Backend(t, gatewaytest.Echo), gatewaytest.Backend(t, gatewaytest.Echo))
}

// startServed starts what served says, with a plugin that fails every other time.
func startServed(t *testing.T, table string) *live {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "plugins"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "plugins", "trap.wasm"), wat.Module(t, "../../testdata/guests/flaky.wat"), 0o600); err != nil {
		t.Fatal(err)
	}
	return startIn(t, dir, table, served(t))
}

func TestDashboardInABrowser(t *testing.T) {
	b := openBrowser(t)
	tests := []struct {
		name string
		run  func(*testing.T, *browser)
	}{
		{"live numbers", dashboardLive}, {"drain and weigh", dashboardDrain}, {"explain and refusals", dashboardExplain}, {"token", dashboardToken},
		{"hostile names", dashboardHostile}, {"colours", dashboardColours}, {"keyboard", dashboardKeyboard}, {"gateway down", dashboardDown},
		{"hidden page", dashboardHidden},
		{"configs", dashboardConfigs}, {"many routes", dashboardManyRoutes}, {"narrow windows", dashboardNarrow},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			b.t = t
			test.run(t, b)
		})
	}
}

const showsNumbers = `/^[1-9]/.test(document.getElementById("fact-generation").textContent)`

func dashboardLive(t *testing.T, b *browser) {
	l := startServed(t, "")
	p := b.open(l.server.URL+"/", 1280, 800, "light")
	p.wait("the page is ready", `document.getElementById("fact-state").textContent.includes("ready")`)
	p.wait("two answers are there", `document.getElementById("tile-rate").textContent === "0"`)
	stop := traffic(t, l, "/orders/7", "/limited", "/nothing")
	p.wait("the rate follows the traffic", `parseFloat(document.getElementById("tile-rate").textContent) > 0`)
	p.wait("the route is listed", `[...document.querySelectorAll("main .link")].some((e) => e.textContent === "orders")`)
	p.wait("a curve is drawn", `[...document.querySelectorAll("path.curve")].some((e) => (e.getAttribute("d") || "").includes("L"))`)
	p.wait("the limit is told", `document.body.innerText.includes("limited.filters[0].default")`)
	before := p.eval(`document.querySelector("#tile-rate + .note").textContent`)
	p.wait("the count goes on", `document.querySelector("#tile-rate + .note").textContent !== `+before)
	stop()
	p.wait("the rate falls with the traffic", `document.getElementById("tile-rate").textContent === "0"`)
	p.click("#tab-routes")
	p.wait("the topology is drawn", `document.querySelectorAll("svg.map rect").length > 8`)
	p.shoot("live")
	p.check()
}

// traffic sends requests until it is stopped.
func traffic(t *testing.T, l *live, paths ...string) (stop func()) {
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			for _, path := range paths {
				select {
				case <-ended:
					return
				default:
				}
				resp, err := http.Get(l.URL + path)
				if err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				_, err = io.Copy(io.Discard, resp.Body)
				if err := errors.Join(err, resp.Body.Close()); err != nil {
					t.Errorf("%s: %v", path, err)
					return
				}
				time.Sleep(5 * time.Millisecond) // the browser shall have its share of the machine
			}
		}
	}()
	stop = sync.OnceFunc(func() { close(ended); <-done })
	t.Cleanup(stop)
	return stop
}

func dashboardDrain(t *testing.T, b *browser) {
	l := startServed(t, "")
	address := l.Status().Upstreams["u"][0].Address
	usable := func() bool { return l.Status().Upstreams["u"][0].Standing.Usable }
	p := b.open(l.server.URL+"/#upstreams", 1280, 800, "light")
	drain := `button[aria-label="Drain ` + address + `"]`
	p.click(drain)
	p.wait("it asks", `document.getElementById("confirm").open`)
	p.click("#confirm-no")
	p.wait("the question is gone", `!document.getElementById("confirm").open`)
	if !usable() {
		t.Fatal("it was drained without a yes")
	}
	p.click(drain)
	p.click("#confirm-yes")
	p.wait("it says that it is drained", `[...document.querySelectorAll(".badge")].some((e) => e.textContent.includes("drained"))`)
	if usable() {
		t.Error("the gateway has not drained it")
	}
	p.shoot("drained")
	p.click(`button[aria-label="Undrain ` + address + `"]`)
	p.click("#confirm-yes")
	p.wait("it is back", `document.querySelector('`+drain+`')`)
	if !usable() {
		t.Error("the gateway has not taken it back")
	}
	p.fill(`input[aria-label="New weight of `+address+`"]`, "7")
	p.click(`button[aria-label="Set the weight of ` + address + `"]`)
	p.click("#confirm-yes")
	p.wait("it tells both weights", `document.body.innerText.includes("7 (config 1)")`)
	if got := l.Status().Upstreams["u"][0].Weight; got != 7 {
		t.Errorf("the weight is %d", got)
	}
	p.check()
}

func dashboardExplain(t *testing.T, b *browser) {
	l := startServed(t, "")
	for range 2 {
		l.Get("/limited")
	}
	p := b.open(l.server.URL+"/#explain", 1280, 800, "light")
	p.fill("#explain-url", "/orders/7?x=1")
	p.fill("#explain-headers", "Host: shop.example.com")
	p.click("#explain button")
	p.wait("it says where", `document.getElementById("explain-answer")?.textContent === "GET shop.example.com/orders/7 goes to the route orders"`)
	p.wait("it says why not elsewhere", `document.body.innerText.includes("its path is /limited")`)
	p.fill("#explain-url", "/ x")
	p.click("#explain button")
	p.wait("it says what is wrong", `document.querySelector("main .wrong")?.textContent.includes("needs a method and a URL")`)
	p.wait("it says why a request was refused", `document.body.innerText.includes("rate limited") && document.body.innerText.includes("filter ratelimit")`)
	p.fill("#refusal-search", "429 ratelimit")
	p.click("main table button.small")
	p.wait("the example is explained", `document.getElementById("explain-answer")?.textContent.includes("goes to the route limited")`)
	p.shoot("explain")
	p.check(refusal + "400")
}

func dashboardToken(t *testing.T, b *browser) {
	l := startServed(t, withToken)
	p := b.open(l.server.URL+"/", 1280, 800, "light")
	p.wait("it asks for the token", `!document.getElementById("login").hidden && document.activeElement.id === "token"`)
	p.fill("#token", "0123456789abcdef-wrong")
	p.press("Enter")
	p.wait("it says that it is wrong", `document.getElementById("login-wrong").textContent !== "" && !document.getElementById("login").hidden`)
	p.fill("#token", token)
	p.press("Enter")
	p.wait("it shows numbers", showsNumbers+` && document.getElementById("login").hidden`)
	if got := p.eval(`sessionStorage.length + "," + localStorage.length + "," + document.cookie.length`); got != `"1,0,0"` {
		t.Errorf("kept in session, local storage and cookies: %s", got)
	}
	p.reload()
	p.wait("it still knows the token", showsNumbers)
	p.click("#forget")
	p.wait("it has forgotten it", `document.activeElement?.id === "token" && sessionStorage.length === 0`)
	p.check(refusal + "401")
}

// hostile would run if it ever became markup.
const hostile = `"'><img src=x onerror=window.ran=1><script>window.ran=2</script>`

// poison has every text and every name in the API's answers hold it: route names, messages, stacks, whatever there will be.
func poison(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" || strings.HasPrefix(r.URL.Path, "/dashboard/") {
			next.ServeHTTP(w, r)
			return
		}
		recorder := httptest.NewRecorder()
		next.ServeHTTP(recorder, r)
		var value any
		if json.Unmarshal(recorder.Body.Bytes(), &value) == nil {
			text, _ := json.Marshal(poisoned("", value)) // what was JSON can be
			w.Header().Set("Content-Type", "application/json")
			w.WriteHeader(recorder.Code)
			_, _ = w.Write(text) // the browser may have gone
		}
	})
}

func poisoned(key string, value any) any {
	switch v := value.(type) {
	case string:
		if _, err := time.Parse(time.RFC3339, v); err == nil || key == "kind" {
			return v
		}
		return v + hostile
	case []any:
		for i := range v {
			v[i] = poisoned("", v[i]) // names are keys of objects
		}
	case map[string]any:
		named := slices.Contains([]string{"routes", "upstreams", "plugins", "limits", "listeners", "endpoints", "headers", "failures", "params"}, key)
		for name, inner := range maps.Clone(v) {
			delete(v, name)
			below := name
			if named {
				name, below = name+hostile, ""
			}
			v[name] = poisoned(below, inner)
		}
	}
	return value
}

func dashboardHostile(t *testing.T, b *browser) {
	l := startServed(t, "")
	for range 4 {
		l.Get("/limited")
		l.Get("/trapped")
		l.Get("/orders/7")
		l.Get("/%3Cimg%20src=x%20onerror=window.ran=1%3E")
	}
	if err := l.ApplyText(strings.Replace(served(t), "1/h", "2/h", 1)); err != nil {
		t.Fatal(err)
	}
	l.note("file", hostile, nil)
	server := httptest.NewServer(poison(l.server.Config.Handler))
	t.Cleanup(server.Close)
	p := b.open(server.URL+"/", 1280, 800, "light")
	for _, view := range []string{"overview", "routes", "plugins", "upstreams", "config", "explain"} {
		p.click("#tab-" + view)
		p.wait("it stands there as text: "+view, `document.getElementById("tab-`+view+`").getAttribute("aria-current") && document.getElementById("main").innerText.includes("<img src=x onerror=window.ran=1>")`)
	}
	p.click("#tab-plugins")
	p.click("main .link")
	p.wait("the failures are told", `document.querySelector("main details pre")?.textContent.includes("onerror")`)
	p.click("#tab-routes")
	p.click(`svg.map .node[aria-label^="Route "]`)
	p.wait("the route is told", `document.querySelector("main h2.wide")?.textContent.includes("onerror")`)
	p.click("#tab-explain")
	p.fill("#explain-url", "/orders/7")
	p.click("#explain button")
	p.wait("it is explained", `document.getElementById("explain-answer")?.textContent.includes("onerror")`)
	p.shoot("hostile")
	if got := p.eval(`document.querySelectorAll("img, body script").length + "," + window.ran`); got != `"0,undefined"` {
		t.Errorf("images and scripts, and what ran: %s", got)
	}
	p.check()
	if got := p.eval(`(() => { try { document.createElement("p").innerHTML = "<b>x</b>"; return "taken" } catch { return "refused" } })()`); got != `"refused"` {
		t.Errorf("markup by a mistake of the page's own is %s", got)
	}
}

const ground = `getComputedStyle(document.body).backgroundColor`

func dashboardColours(t *testing.T, b *browser) {
	l := startServed(t, "")
	light, dark := `rgb(244, 245, 247)`, `rgb(15, 19, 24)`
	p := b.open(l.server.URL+"/", 1280, 800, "dark")
	p.wait("it is as dark as the system", ground+` === "`+dark+`"`)
	p.shoot("dark")
	p.click("#theme")
	p.wait("it is light", ground+` === "`+light+`"`)
	p.reload()
	p.wait("it stays so", ground+` === "`+light+`"`)
	p.check()
}

// Everything that can be clicked can be reached by Tab, has a name, and shows that it has the focus.
func dashboardKeyboard(t *testing.T, b *browser) {
	l := startServed(t, "")
	for range 2 {
		l.Get("/limited")
	}
	p := b.open(l.server.URL+"/#upstreams", 1280, 800, "light")
	p.wait("the view is there", `document.querySelector("button.drain")`)
	var reached []string
	for range 60 {
		p.press("Tab")
		name := strings.Trim(p.eval(`(() => { const e = document.activeElement; return e === document.body ? "" : (e.id || e.getAttribute("aria-label") || e.textContent || e.tagName) })()`), `"`)
		if name == "" || slices.Contains(reached, name) {
			break
		}
		reached = append(reached, name)
		if p.eval(`getComputedStyle(document.activeElement).outlineStyle`) == `"none"` {
			t.Errorf("%s does not show that it has the focus", name)
		}
	}
	address := l.Status().Upstreams["u"][0].Address
	for _, want := range []string{"Skip to the content", "pause", "theme", "tab-overview", "tab-explain", "upstream-search", "Drain " + address, "New weight of " + address} {
		if !slices.Contains(reached, want) {
			t.Errorf("Tab does not reach %s: %q", want, reached)
		}
	}
	p.eval(`document.querySelector("button.drain").focus()`)
	p.press("Enter")
	p.wait("it asks, and No has the focus", `document.getElementById("confirm").open && document.activeElement.id === "confirm-no"`)
	p.press("Escape")
	p.wait("the focus is back", `document.activeElement.className.includes("drain")`)
	p.eval(`document.getElementById("tab-routes").focus()`)
	p.press("Enter")
	p.wait("the view is open", `document.getElementById("tab-routes").getAttribute("aria-current") === "page"`)
	p.wait("the topology is drawn", `document.querySelector("svg.map .node")`)
	p.eval(`document.querySelector("svg.map .node").focus()`)
	p.press("Enter")
	p.wait("the route is told", `document.querySelector("main h2.wide")`)
	unnamed := `[...document.querySelectorAll("input, select, textarea, button")].filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim())).map((e) => e.outerHTML)`
	for _, view := range []string{"overview", "routes", "plugins", "upstreams", "config", "explain"} {
		p.click("#tab-" + view)
		if got := p.eval(unnamed); got != "[]" {
			t.Errorf("%s: without a name: %s", view, got)
		}
		if got := p.eval(`[...document.querySelectorAll("main table")].filter((e) => !e.querySelector("thead th[scope=col]")).length`); got != "0" {
			t.Errorf("%s: %s tables have no heads", view, got)
		}
	}
	p.check()
}

func dashboardDown(t *testing.T, b *browser) {
	l := startServed(t, "")
	var down atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if down.Load() {
			panic(http.ErrAbortHandler) // the connection is closed without an answer
		}
		l.server.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p := b.open(server.URL+"/", 1280, 800, "light")
	p.wait("the page is ready", showsNumbers)
	down.Store(true)
	p.wait("it says so", `!document.getElementById("alarm").hidden && document.getElementById("alarm").textContent.includes("does not answer")`)
	p.shoot("down")
	down.Store(false)
	p.wait("it goes on", `document.getElementById("alarm").hidden`)
	p.check("net::ERR_")
}

func dashboardConfigs(t *testing.T, b *browser) {
	l := startServed(t, "")
	p := b.open(l.server.URL+"/#config", 1280, 800, "dark")
	p.wait("there is nothing to compare", `document.body.innerText.includes("nothing to compare")`)
	if err := l.ApplyText(strings.Replace(served(t), "1/h", "2/h", 1)); err != nil {
		t.Fatal(err)
	}
	l.note("file", "", nil)
	p.wait("the difference is told", `document.body.innerText.includes("1/h") && document.body.innerText.includes("2/h")`)
	p.wait("one is in force", `[...document.querySelectorAll("main .badge")].map((e) => e.textContent.trim()).join() === "✓ in force,replaced"`)
	if err := os.WriteFile(filepath.Join(l.Dir, "gateway.toml"), []byte("nonsense = 1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	p.click("main button:not(.sort)")
	p.click("#confirm-yes")
	p.wait("the mistake is told", `document.querySelector("main [role=alert]").innerText.includes("nonsense")`)
	p.wait("the refusal is in the list", `[...document.querySelectorAll(".badge")].some((e) => e.textContent.includes("refused"))`)
	p.shoot("configs")
	p.check(refusal + "422")
}

func dashboardManyRoutes(t *testing.T, b *browser) {
	var many strings.Builder
	for n := range 2000 {
		fmt.Fprintf(&many, "[[routes]]\nname = \"route-%04d\"\npath = \"/many/%04d\"\nrespond = { status = 204 }\n", n, n)
	}
	l := start(t, "", many.String())
	p := b.open(l.server.URL+"/#routes", 1280, 800, "light")
	p.wait("they are counted", `document.querySelector("main").innerText.includes("2000 routes")`)
	p.fill("#route-search", "many/1777")
	p.wait("one is found", `document.querySelector("main").innerText.includes("1 of 2000 routes match") && document.querySelectorAll("main tbody tr").length === 1`)
	if nodes := p.eval(`document.querySelectorAll("*").length < 3000`); nodes != "true" {
		t.Error("the page is larger than what it shows")
	}
	p.check()
}

func dashboardNarrow(t *testing.T, b *browser) {
	l := startServed(t, "")
	for range 2 {
		l.Get("/limited")
	}
	if err := l.ApplyText(strings.Replace(served(t), "1/h", "2/h", 1)); err != nil {
		t.Fatal(err)
	}
	l.note("file", "", nil)
	filled := map[string]string{
		"overview": `document.body.innerText.includes("rate limited")`, "routes": `document.querySelector("svg.map .node")`, "plugins": `document.body.innerText.includes("trap")`,
		"upstreams": `document.querySelector("button.drain")`, "config": `document.querySelector(".change td")`, "explain": `document.body.innerText.includes("rate limited")`,
	}
	for _, width := range []int{360, 390, 768, 1920} {
		p := b.open(l.server.URL+"/", width, 740, "light")
		p.wait("the page is ready", showsNumbers)
		for _, view := range []string{"overview", "routes", "plugins", "upstreams", "config", "explain"} {
			p.click("#tab-" + view)
			p.wait("the view is open", `document.getElementById("tab-`+view+`").getAttribute("aria-current") === "page"`)
			p.wait(view+" is filled", filled[view])
			if got := p.eval(`document.documentElement.scrollWidth <= document.documentElement.clientWidth`); got != "true" {
				t.Errorf("%s is wider than %d", view, width)
			}
			p.shoot(fmt.Sprint(view, "-", width))
		}
		p.check()
	}
}

// A page that nobody sees asks for nothing, and goes on when it is seen again.
func dashboardHidden(t *testing.T, b *browser) {
	l := startServed(t, "")
	p := b.open(l.server.URL+"/", 1280, 800, "light")
	p.wait("the page is ready", showsNumbers)
	p.eval(`{
		const ask = window.fetch;
		window.looks = 0;
		window.fetch = (path, ...rest) => { if (path === "/stats") window.looks++; return ask(path, ...rest); };
		window.see = (hidden) => {
			Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
			document.dispatchEvent(new Event("visibilitychange"));
		};
	}`)
	p.wait("it looks", `window.looks > 1`)
	if got := p.eval(`new Promise((done) => { see(true); const before = looks; setTimeout(() => done(looks - before), 3000) })`); got != "0" {
		t.Errorf("hidden it has looked %s times", got)
	}
	p.eval(`see(false); looks = 0`)
	p.wait("it goes on", `window.looks > 1`)
	p.check()
}

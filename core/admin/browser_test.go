//go:build !race

package admin_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// patience is how long a test waits for anything of the browser's: machines may be slow.
const patience = 60 * time.Second

// browser is a headless Chromium, driven by its DevTools protocol: no npm is needed.
type browser struct {
	t    *testing.T
	conn *websocket.Conn

	mu      sync.Mutex // of what follows
	calls   int
	waiting map[int]chan answer
	pages   map[string]*page // by session
}

// answer is what the browser says to a call; message is that, or what it tells by itself.
type answer struct {
	Result json.RawMessage
	Error  *struct{ Message string }
}

type message struct {
	ID        int
	SessionID string `json:"sessionId"`
	Method    string
	Params    json.RawMessage
	answer
}

// openBrowser starts Chromium for the test. Without one the test is skipped.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	program := ""
	for _, name := range []string{"chromium", "chromium-browser", "google-chrome"} {
		if found, err := exec.LookPath(name); err == nil && program == "" {
			program = found
		}
	}
	if program == "" {
		wat.Missing(t, "chromium")
	}
	b := &browser{t: t, waiting: map[int]chan answer{}, pages: map[string]*page{}}
	b.dial(startChromium(t, program))
	go b.read()
	return b
}

// startChromium returns where its DevTools listen.
func startChromium(t *testing.T, program string) string {
	profile, err := os.MkdirTemp("", "dashboard") // not the test's own: Chromium may write into it for a moment longer
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
		"--disable-component-update", "--disable-sync", "--remote-debugging-port=0", "--user-data-dir="+profile, "about:blank")
	command.Env = append(os.Environ(), "HOME="+profile)
	told, err := command.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = command.Process.Kill() // it may be gone
		_ = command.Wait()
		_ = os.RemoveAll(profile)
	})
	address := make(chan string, 1)
	go func() {
		lines := bufio.NewScanner(told)
		for lines.Scan() { // to the end: it must not wait for a reader
			if _, at, ok := strings.Cut(lines.Text(), "DevTools listening on "); ok {
				address <- at
			}
		}
	}()
	select {
	case at := <-address:
		return at
	case <-time.After(patience):
		t.Fatal("chromium does not say where its DevTools listen")
		return ""
	}
}

func (b *browser) dial(address string) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	conn, _, err := websocket.Dial(ctx, address, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	conn.SetReadLimit(64 << 20)
	b.conn = conn
	b.t.Cleanup(func() { _ = conn.CloseNow() })
}

func (b *browser) read() {
	for {
		_, text, err := b.conn.Read(context.Background())
		if err != nil {
			return // the test is over
		}
		var m message
		if json.Unmarshal(text, &m) != nil {
			continue
		}
		b.mu.Lock()
		if m.ID != 0 {
			b.waiting[m.ID] <- m.answer
			delete(b.waiting, m.ID)
		} else if p := b.pages[m.SessionID]; p != nil {
			p.hear(m.Method, m.Params)
		}
		b.mu.Unlock()
	}
}

// call has the browser do something, and returns what it says. With a session that is for a page.
func (b *browser) call(session, method string, params any) (json.RawMessage, error) {
	b.mu.Lock()
	b.calls++
	id, told := b.calls, make(chan answer, 1)
	b.waiting[id] = told
	b.mu.Unlock()
	text, err := json.Marshal(map[string]any{"id": id, "sessionId": session, "method": method, "params": params})
	if session == "" {
		text, err = json.Marshal(map[string]any{"id": id, "method": method, "params": params})
	}
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	if err := b.conn.Write(ctx, websocket.MessageText, text); err != nil {
		return nil, err
	}
	select {
	case a := <-told:
		if a.Error != nil {
			return nil, fmt.Errorf("%s: %s", method, a.Error.Message)
		}
		return a.Result, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: no answer", method)
	}
}

// page is a tab with cookies and storage of its own.
type page struct {
	b        *browser
	session  string
	origin   string
	wrong    []string // errors of scripts and of the console, among them violations of the policy
	requests []string // that it has sent
}

// open loads an address in a tab with a window of that size.
func (b *browser) open(address string, width, height int, scheme string) *page {
	b.t.Helper()
	at, err := url.Parse(address)
	if err != nil {
		b.t.Fatal(err)
	}
	p := &page{b: b, origin: at.Scheme + "://" + at.Host}
	var context struct{ BrowserContextID string }
	p.into(&context, "Target.createBrowserContext", map[string]any{})
	var target struct{ TargetID string }
	p.into(&target, "Target.createTarget", map[string]any{"url": "about:blank", "browserContextId": context.BrowserContextID})
	var attached struct{ SessionID string }
	p.into(&attached, "Target.attachToTarget", map[string]any{"targetId": target.TargetID, "flatten": true})
	p.session = attached.SessionID
	b.mu.Lock()
	b.pages[p.session] = p
	b.mu.Unlock()
	b.t.Cleanup(func() {
		_, _ = b.call("", "Target.disposeBrowserContext", map[string]any{"browserContextId": context.BrowserContextID}) // it may be gone with its browser
	})
	for _, domain := range []string{"Runtime", "Log", "Network", "Page"} {
		p.do(domain+".enable", map[string]any{})
	}
	p.do("Emulation.setFocusEmulationEnabled", map[string]any{"enabled": true})
	p.do("Emulation.setDeviceMetricsOverride", map[string]any{"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false})
	p.do("Emulation.setEmulatedMedia", map[string]any{"features": []any{map[string]string{"name": "prefers-color-scheme", "value": scheme}}})
	p.do("Page.navigate", map[string]any{"url": address})
	return p
}

func (p *page) into(result any, method string, params any) {
	p.b.t.Helper()
	text, err := p.b.call(p.session, method, params)
	if err == nil && result != nil {
		err = json.Unmarshal(text, result)
	}
	if err != nil {
		p.b.t.Fatal(err)
	}
}

func (p *page) do(method string, params any) {
	p.b.t.Helper()
	p.into(nil, method, params)
}

// hear notes what the page should not do. The browser holds its lock.
func (p *page) hear(method string, params json.RawMessage) {
	switch method {
	case "Runtime.exceptionThrown":
		p.wrong = append(p.wrong, string(params))
	case "Runtime.consoleAPICalled":
		p.wrong = append(p.wrong, "console: "+string(params))
	case "Log.entryAdded":
		var told struct {
			Entry struct{ Level, Text, URL string }
		}
		if json.Unmarshal(params, &told) == nil && told.Entry.Level == "error" {
			p.wrong = append(p.wrong, told.Entry.Text+" "+told.Entry.URL)
		}
	case "Network.requestWillBeSent":
		var sent struct{ Request struct{ URL string } }
		if json.Unmarshal(params, &sent) == nil {
			p.requests = append(p.requests, sent.Request.URL)
		}
	}
}

// eval returns what a JavaScript expression is, as JSON; a promise is waited for.
func (p *page) eval(expression string) string {
	p.b.t.Helper()
	value, err := p.try(expression)
	if err != nil {
		p.b.t.Fatal(err)
	}
	return value
}

// try is eval that may fail, as it does while another document takes the place of one.
func (p *page) try(expression string) (string, error) {
	var told struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct {
			Text      string
			Exception struct{ Description string }
		}
	}
	text, err := p.b.call(p.session, "Runtime.evaluate", map[string]any{"expression": expression, "returnByValue": true, "awaitPromise": true})
	if err == nil {
		err = json.Unmarshal(text, &told)
	}
	if e := told.ExceptionDetails; err == nil && e != nil {
		err = fmt.Errorf("%s: %s %s", expression, e.Text, e.Exception.Description)
	}
	return string(told.Result.Value), err
}

// wait waits until a JavaScript expression is true.
func (p *page) wait(what, expression string) {
	p.b.t.Helper()
	deadline := time.Now().Add(patience)
	guarded := "(() => { try { return !!(" + expression + ") } catch { return false } })()" // while it loads, much is not there
	for {
		value, err := p.try(guarded)
		if value == "true" {
			return
		}
		if time.Now().After(deadline) {
			p.b.t.Fatalf("%s: never so (%v); the page says: %s", what, err, p.eval("document.body.innerText.slice(0, 3000)"))
		}
		time.Sleep(50 * time.Millisecond) // between looks
	}
}

// reload loads the page again, and waits for the new one.
func (p *page) reload() {
	p.b.t.Helper()
	p.eval("window.isOld = true")
	p.do("Page.reload", map[string]any{})
	p.wait("it is loaded again", `!window.isOld && document.readyState === "complete"`)
}

// clickIt clicks on an element where it can be seen and nothing covers it, in one go: the mouse would miss one that moves away meanwhile.
const clickIt = `((e) => {
	e.scrollIntoView({block: "center", inline: "center"});
	const r = e.getBoundingClientRect(), hit = document.elementFromPoint(r.x + r.width / 2, r.y + r.height / 2);
	if (!e.contains(hit)) return false;
	e.focus();
	e.dispatchEvent(new MouseEvent("click", {bubbles: true, cancelable: true, view: window}));
	return true;
})`

// click clicks on the element that the selector finds, as soon as it is there.
func (p *page) click(selector string) {
	p.b.t.Helper()
	p.wait("it can be clicked: "+selector, clickIt+"(document.querySelector("+quoted(selector)+"))")
}

// fill puts text into a field, as typing does.
func (p *page) fill(selector, text string) {
	p.b.t.Helper()
	p.wait("there is "+selector, "document.querySelector("+quoted(selector)+")")
	p.eval("(() => { const f = document.querySelector(" + quoted(selector) + "); f.focus(); f.select() })()")
	p.do("Input.insertText", map[string]any{"text": text})
}

// press hits a key.
func (p *page) press(key string) {
	p.b.t.Helper()
	codes := map[string]int{"Tab": 9, "Enter": 13, "Escape": 27, "ArrowLeft": 37}
	event := map[string]any{"type": "keyDown", "key": key, "code": key, "windowsVirtualKeyCode": codes[key]}
	if key == "Enter" {
		event["text"] = "\r"
	}
	p.do("Input.dispatchKeyEvent", event)
	event["type"] = "keyUp"
	p.do("Input.dispatchKeyEvent", event)
}

// check fails the test if the page has done what it must not, but for errors of the console that hold one of the allowed texts.
func (p *page) check(allowed ...string) {
	p.b.t.Helper()
	p.b.mu.Lock()
	defer p.b.mu.Unlock()
next:
	for _, text := range p.wrong {
		for _, fine := range allowed {
			if strings.Contains(text, fine) {
				continue next
			}
		}
		p.b.t.Errorf("the page has done wrong: %s", text)
	}
	for _, sent := range p.requests {
		if !strings.HasPrefix(sent, p.origin+"/") {
			p.b.t.Errorf("a request has left the origin: %s", sent)
		}
	}
	if len(p.requests) == 0 {
		p.b.t.Error("no request was seen")
	}
}

func quoted(text string) string {
	q, err := json.Marshal(text)
	if err != nil {
		panic(err) // a string always encodes
	}
	return string(q)
}

// shoot keeps a picture of the page for people in the folder DASHBOARD_PICTURES, if there is one.
func (p *page) shoot(name string) {
	p.b.t.Helper()
	folder := os.Getenv("DASHBOARD_PICTURES")
	if folder == "" {
		return
	}
	var picture struct{ Data []byte }
	p.into(&picture, "Page.captureScreenshot", map[string]any{"format": "png", "captureBeyondViewport": true})
	if err := os.WriteFile(filepath.Join(folder, name+".png"), picture.Data, 0o600); err != nil {
		p.b.t.Fatal(err)
	}
}

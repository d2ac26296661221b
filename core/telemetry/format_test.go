package telemetry

import (
	"crypto/tls"
	"encoding/json"
	"math"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/trace"
)

// full is an exchange of which everything is known.
func full() *exchange.Exchange {
	x := ended()
	x.Req.Fields.Add("User-Agent", "curl/8")
	x.Req.Fields.Add("Referer", "https://u:hush@x/a?token=hush&b=1#access_token=hush")
	x.Req.Fields.Add("Authorization", "Bearer hush")
	x.Req.Fields.Add("X-Two", "a")
	x.Req.Fields.Add("x-two", "b")
	x.Resp.Fields.Add("Set-Cookie", "sid=hush")
	x.Resp.Fields.Add("Set-Cookie", "other=hush")
	x.Resp.Fields.Add("Location", "https://y/?code=hush")
	x.Asked.Query = "a=b&api-key=hush"
	x.SetAttr("mail", "hush@example.com")
	x.SetAttr("consumer", "demo")
	x.TLS = &tls.ConnectionState{Version: tls.VersionTLS13, CipherSuite: tls.TLS_AES_128_GCM_SHA256, ServerName: "example.com", DidResume: true}
	x.ClientSubject, x.Connect, x.ReceivedHead, x.SentHead = "CN=me", 30*time.Microsecond, 70, 120
	x.By, x.Filter, x.Limit, x.Code = exchange.ByFilter, "ratelimit", "orders.burst", fault.RateLimited
	x.Took = []exchange.Took{{Name: "jwt-auth", Place: 0, Time: 14 * time.Microsecond}, {Name: "ratelimit", Place: 1, Time: time.Microsecond}}
	x.GRPCStatus = "8"
	x.Times.Sent, x.Times.Answered = x.Times.Start.Add(40*time.Microsecond), x.Times.Start.Add(90*time.Microsecond)
	x.Trace.Trace, x.Trace.Span = trace.ID{0: 1}, trace.SpanID{0: 2}
	x.Fail(&fault.Fault{Kind: fault.BadGateway, Side: fault.Upstream, Reason: "reset"})
	return x
}

var captureAll = FormatOptions{
	RequestHeaders: []string{"user-agent", "Referer", "authorization", "x-two", "missing"}, ResponseHeaders: []string{"set-cookie", "location"},
	RedactAttributes: []string{"mail"},
}

func TestFullLine(t *testing.T) {
	const want = `{"time":"2026-01-02T03:04:05.000006Z","id":"abc","trace_id":"01000000000000000000000000000000","span_id":"0200000000000000","client":"192.0.2.1","peer":"10.0.0.1:5000","method":"GET",` +
		`"scheme":"http","host":"example.com","path":"/orders/1","query":"a=b&api-key=[redacted]","protocol":"HTTP/1.1","status":200,"grpc_status":8,` +
		`"route":"orders","upstream":"o","endpoint":"127.0.0.1:9","tries":1,"received":5,"sent":259,"chain_us":1,"connect_us":30,"sent_us":40,"answered_us":90,"total_us":2000,` +
		`"filters":[{"name":"jwt-auth","us":14},{"name":"ratelimit","us":1}],"generation":3,"answered_by":"filter","filter":"ratelimit",` +
		`"limit":"orders.burst","reason_code":"RL","fault":"bad_gateway","blame":"upstream","reason":"reset","tls_version":"TLS 1.3",` +
		`"tls_cipher":"TLS_AES_128_GCM_SHA256","tls_server_name":"example.com","tls_resumed":true,"tls_client":"CN=me",` +
		`"request_headers":{"user-agent":"curl/8","referer":"https://[redacted]@x/a?token=[redacted]&b=1#access_token=[redacted]",` +
		`"authorization":"[redacted]","x-two":"a, b"},"response_headers":{"set-cookie":"[redacted]","location":"https://y/?code=[redacted]"},` +
		`"attributes":{"mail":"[redacted]","consumer":"demo"}}` + "\n"
	got := lineOf(t, captureAll, full())
	if got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if strings.Contains(got, "hush") {
		t.Error("the line holds a secret")
	}
}

// Each field by itself, in the order that was asked for, is valid JSON; together they are all that there are.
func TestChosenFields(t *testing.T) {
	x := full()
	for _, name := range FieldNames() {
		o := captureAll
		o.Fields = []string{name}
		l := line{}
		formatOf(t, o).write(&l, x, 0.5)
		var got map[string]any
		if err := json.Unmarshal(l.b, &got); err != nil || len(got) > 1 {
			t.Errorf("%s: %v in %s", name, err, l.b)
		}
		if _, there := got[name]; !there && name != "cause" {
			t.Errorf("%s is not there: %s", name, l.b)
		}
		if strings.Contains(string(l.b), "hush") {
			t.Errorf("%s shows a secret: %s", name, l.b)
		}
	}
	o := FormatOptions{Fields: []string{"status", "sent_head", "time", "cause", "user_agent", "referer", "received_head"}}
	const want = `{"status":200,"sent_head":120,"time":"2026-01-02T03:04:05.000006Z","user_agent":"curl/8",` +
		`"referer":"https://[redacted]@x/a?token=[redacted]&b=1#access_token=[redacted]","received_head":70}` + "\n"
	if got := lineOf(t, o, x); got != want {
		t.Errorf("got  %swant %s", got, want)
	}
	if got := lineOf(t, FormatOptions{Fields: []string{"cause"}}, x); got != "{}\n" {
		t.Errorf("nothing to tell: got %s", got)
	}
	if _, err := NewFormat(FormatOptions{Fields: []string{"no"}}); err == nil {
		t.Error("an unknown field is taken")
	}
}

func TestCLF(t *testing.T) {
	x := full()
	x.SetAttr("consumer", "a \"b")
	const common = `192.0.2.1 - a\x20\"b [02/Jan/2026:03:04:05 +0000] "GET /orders/1?a=b&api-key=[redacted] HTTP/1.1" 200 259`
	if got := lineOf(t, FormatOptions{Style: "clf"}, x); got != common+"\n" {
		t.Errorf("got  %swant %s", got, common)
	}
	const more = ` "https://[redacted]@x/a?token=[redacted]&b=1#access_token=[redacted]" "curl/8"` + "\n"
	if got := lineOf(t, FormatOptions{Style: "combined"}, x); got != common+more {
		t.Errorf("got  %swant %s", got, common+more)
	}
	bare := &exchange.Exchange{Addr: x.Addr, Times: x.Times}
	bare.Resp.Status = 400
	const nothing = `192.0.2.1 - - [02/Jan/2026:03:04:05 +0000] "-" 400 - "-" "-"` + "\n"
	if got := lineOf(t, FormatOptions{Style: "combined"}, bare); got != nothing {
		t.Errorf("got  %swant %s", got, nothing)
	}
	x.SetAttr("consumer", "hush")
	if got := lineOf(t, FormatOptions{Style: "clf", RedactAttributes: []string{"consumer"}}, x); strings.Contains(got, "hush") {
		t.Errorf("the user is shown: %s", got)
	}
}

// FuzzCLF: whatever a client sends, the line is one line of printable ASCII with as many fields as there should be.
func FuzzCLF(f *testing.F) {
	whole := regexp.MustCompile(`^192\.0\.2\.1 - [!-~]+ \[[^\]]+\] "(?:[^"\\]|\\.)*" 200 259 "(?:[^"\\]|\\.)*" "(?:[^"\\]|\\.)*"\n$`)
	f.Add("/a\"\\\n\x00\xff\u2028é ] [")
	f.Add(`\`)
	f.Fuzz(func(t *testing.T, hostile string) {
		x := ended()
		x.Asked.Path, x.Asked.Query, x.Req.Method = hostile, hostile, hostile
		x.Req.Fields.Add("User-Agent", hostile)
		x.Req.Fields.Add("Referer", hostile)
		x.SetAttr("consumer", hostile)
		got := lineOf(t, FormatOptions{Style: "combined"}, x)
		if !whole.MatchString(got) {
			t.Fatalf("%q", got)
		}
	})
}

func TestRedactedQueries(t *testing.T) {
	tests := map[string]string{
		"":                                "",
		"a=b":                             "a=b",
		"token":                           "token",
		"token=":                          "token=[redacted]",
		"token=hush":                      "token=[redacted]",
		"a=b&token=hush&c=d":              "a=b&token=[redacted]&c=d",
		"TOKEN=hush":                      "TOKEN=[redacted]",
		"api.key=hush&Api-Key=hush":       "api.key=[redacted]&Api-Key=[redacted]",
		"%74oken=hush":                    "%74oken=[redacted]",
		"+token=hush":                     "+token=[redacted]",
		"%20token=hush":                   "%20token=[redacted]",
		"token[]=hush&token%5B0%5D=hush":  "token[]=[redacted]&token%5B0%5D=[redacted]",
		"user[password]=hush&user[n]=b":   "user[password]=[redacted]&user[n]=b",
		"token=hush;hush?hush#hush&a=b":   "token=[redacted]&a=b",
		"a=b;token=hush":                  "a=b;token=[redacted]",
		"to=http://x/?token=hush&a=b":     "to=http://x/?token=[redacted]&a=b",
		"token=hush=hush":                 "token=[redacted]",
		"tokens=7&mytoken=1&token2=1":     "tokens=7&mytoken=1&token2=1",
		"%=1&%7=2&%zz=3&[=4&]=5&[]=6&=7&": "%=1&%7=2&%zz=3&[=4&]=5&[]=6&=7&",
		"X-Amz-Signature=hush":            "X-Amz-Signature=[redacted]",
		strings.Repeat("a", 300) + "=1":   strings.Repeat("a", 300) + "=1",
		strings.Repeat("%61", 300) + "=1": strings.Repeat("%61", 300) + "=1",
	}
	r := newRedactor(DefaultRedactQuery())
	for query, want := range tests {
		if got := string(r.append(nil, query, appendEscaped)); got != want {
			t.Errorf("%s: got %s, want %s", query, got, want)
		}
	}
	own := newRedactor([]string{"Ticket-ID", "", strings.Repeat("x", 64)})
	if got := string(own.append(nil, "token=a&ticket.id=hush", appendEscaped)); got != "token=a&ticket.id=[redacted]" {
		t.Errorf("own list: got %s", got)
	}
	if got := string(newRedactor([]string{}).append(nil, "token=a&%74oken[]=b", appendEscaped)); got != "token=a&%74oken[]=b" {
		t.Errorf("empty list: got %s", got)
	}
}

// FuzzRedact: what is not redacted is not changed, and the value of a parameter in plain sight never shows.
func FuzzRedact(f *testing.F) {
	f.Add("a=b&", "c=d")
	f.Add("a[", "]=1;?#")
	r, none := newRedactor(DefaultRedactQuery()), newRedactor(nil)
	raw := func(b []byte, s string) []byte { return append(b, s...) }
	f.Fuzz(func(t *testing.T, before, after string) {
		if got := string(none.append(nil, before, raw)); got != before {
			t.Fatalf("got %q of %q", got, before)
		}
		if strings.Contains(before+after, "hush") {
			return
		}
		for _, text := range []string{
			string(r.append(nil, before+"&token=hush&"+after, raw)), string(r.appendURL(nil, before+"?token=hush&"+after, raw)),
		} {
			if strings.Contains(text, "hush") {
				t.Fatalf("%q & %q: %q", before, after, text)
			}
		}
	})
}

func TestTargetsOfRefusedHeads(t *testing.T) {
	tests := map[string]string{
		"/a@b": "/a@b", "*": "*", "http://x/%00": "http://x/%00", "http://u:hush@x/%00": "[redacted]@x/%00", "u:hush@x:443": "[redacted]@x:443",
		"http://u:" + strings.Repeat("h", 1015): "[redacted]", "": "",
	}
	for path, want := range tests {
		if got := shownPath(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
	if got := withoutUser("u:hush@x"); got != "x" {
		t.Errorf("got %s", got)
	}
}

func TestSecretHeaders(t *testing.T) {
	for _, name := range []string{"Authorization", "Proxy-Authorization", "cookie", "Set-Cookie", "X-Api-Key", "X-Auth-Token", "X-Amz-Security-Token", "Client-Cert", "DPoP", "X-Vault-Token"} {
		if !isSecretHeader(name) {
			t.Errorf("%s is shown", name)
		}
	}
	for _, name := range []string{"User-Agent", "Referer", "X-Request-Id", "Idempotency-Key", "Accept", "Content-Type", "Traceparent"} {
		if isSecretHeader(name) {
			t.Errorf("%s is not shown", name)
		}
	}
}

func TestSampling(t *testing.T) {
	s := newSampling(map[int]float64{2: 0.25, 3: 0, 4: 1}, time.Second)
	count := func(change func(x *exchange.Exchange)) int {
		n := 0
		for i := range 40_000 {
			x := ended()
			x.Number = uint64(1024 + i)
			change(x)
			if _, ok := s.takes(x); ok {
				n++
			}
		}
		return n
	}
	tests := []struct {
		name      string
		low, high int
		change    func(x *exchange.Exchange)
	}{
		{"a quarter", 9_600, 10_400, func(*exchange.Exchange) {}},
		{"a quarter of every fourth", 9_600, 10_400, func(x *exchange.Exchange) { x.Number *= 4 }},
		{"none", 0, 0, func(x *exchange.Exchange) { x.Resp.Status = 304 }},
		{"all", 40_000, 40_000, func(x *exchange.Exchange) { x.Resp.Status = 404 }},
		{"not named", 40_000, 40_000, func(x *exchange.Exchange) { x.Resp.Status = 500 }},
		{"odd statuses", 40_000, 40_000, func(x *exchange.Exchange) { x.Resp.Status = 0 }},
		{"slow", 40_000, 40_000, func(x *exchange.Exchange) { x.Times.End = x.Times.Start.Add(time.Second) }},
		{"cut off", 40_000, 40_000, func(x *exchange.Exchange) { x.Fail(fault.New(fault.BadGateway, fault.Upstream, "")) }},
	}
	for _, test := range tests {
		if got := count(test.change); got < test.low || got > test.high {
			t.Errorf("%s: got %d of 40000", test.name, got)
		}
	}
	if share, _ := s.takes(ended()); share != 0.25 {
		t.Errorf("share %v", share)
	}
	full := newSampling(map[int]float64{2: math.Nextafter(1, 0)}, 0)
	if _, ok := full.takes(ended()); !ok {
		t.Error("a share of nearly one leaves lines out")
	}
}

func TestSampledLineSaysItsShare(t *testing.T) {
	var l line
	formatOf(t, FormatOptions{Fields: []string{"status", "sample"}}).write(&l, ended(), 0.25)
	if got := string(l.b); got != `{"status":200,"sample":0.25}`+"\n" {
		t.Errorf("got %s", got)
	}
}

func TestNoFormatAllocates(t *testing.T) {
	for name, o := range map[string]FormatOptions{"all": captureAll, "combined": {Style: "combined"}, "sampled": {Sample: map[int]float64{2: 0.5}}} {
		f, x := formatOf(t, o), full()
		l := line{b: make([]byte, 0, 8192)}
		n := testing.AllocsPerRun(100, func() {
			l.b = l.b[:0]
			x.Number++
			share, _ := f.sampling.takes(x)
			f.write(&l, x, share)
		})
		if n != 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

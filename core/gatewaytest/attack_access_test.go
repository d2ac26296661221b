package gatewaytest

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

const accessTOML = `[[routes]]
name = "acl"
host = "acl.test"
path = "/*rest"
upstream = "b"
  [[routes.filters]]
  use = "key-auth"
  config = { keys = [{ key = "jo", consumer = "jo", groups = ["users"] }, { key = "ann", consumer = "ann", groups = ["staff"] }] }
  [[routes.filters]]
  use = "acl"
  config = { deny = [{ consumers = ["jo"], paths = ["/admin"] }, { methods = ["DELETE"] }] }
[[routes]]
name = "allow"
host = "allow.test"
path = "/*rest"
upstream = "b"
filters = [{ use = "acl", config = { allow = [{ paths = ["/public"], methods = ["GET"] }] } }]
[[routes]]
name = "ip"
host = "ip.test"
path = "/*rest"
upstream = "b"
filters = [{ use = "ip-rules", config = { allow = ["198.51.100.0/24", "2001:db8::/32"], deny = ["198.51.100.66"] } }]
[[routes]]
name = "agent"
host = "agent.test"
path = "/*rest"
upstream = "b"
filters = [{ use = "agent-rules", config = { user_agent = { deny = ["evilbot"], require = true }, headers = { X-App = { allow = ["^3."] } } } }]
`

// accessRequest is a request whose head is written as it stands.
type accessRequest struct {
	name, host, method, target string
	fields                     []string
	status                     int
}

func tryAccess(t *testing.T, g *Gateway, requests []accessRequest) {
	t.Helper()
	for _, tt := range requests {
		if tt.method == "" {
			tt.method = "GET"
		}
		conn := must(net.Dial("tcp", g.Addr))
		_ = conn.SetDeadline(time.Now().Add(30 * time.Second)) // whatever happens, it ends
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s\r\n", tt.method, tt.target, tt.host, strings.Join(append(tt.fields, ""), "\r\n"))
		answer := string(must(io.ReadAll(conn)))
		conn.Close()
		if !strings.HasPrefix(answer, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) {
			t.Errorf("%s: %s %s: want %d, got\n%.300s", tt.name, tt.method, tt.target, tt.status, answer)
		}
	}
}

// However a path is written, who may not go there does not.
func TestPathTricksAgainstACL(t *testing.T) {
	g := startBox(t, upstreamsTOML("b", Backend(t, Echo))+accessTOML, "acl", "key-auth", "ip-rules", "agent-rules")
	jo, ann := []string{"X-Api-Key: jo"}, []string{"X-Api-Key: ann"}
	requests := []accessRequest{
		{"who may", "acl.test", "", "/admin/x", ann, 200},
		{"another path", "acl.test", "", "/administer", jo, 200},
		{"a method", "acl.test", "DELETE", "/x", ann, 403},
		{"a method in another case", "acl.test", "delete", "/x", ann, 403},
		{"allowed", "allow.test", "", "/public/x", nil, 200},
		{"allowed, another method", "allow.test", "POST", "/public/x", []string{"Content-Length: 0"}, 403},
		{"allowed, a method of the same letters", "allow.test", "get", "/public/x", nil, 403},
		{"allowed, and up", "allow.test", "", "/public/../private", nil, 403},
		{"allowed, and up encoded", "allow.test", "", "/public/%2e%2e/private", nil, 403},
		{"allowed, and up for others", "allow.test", "", "/public/..%2fprivate", nil, 403},
		{"allowed, and up twice encoded", "allow.test", "", "/public/%252e%252e%252fprivate", nil, 403},
		{"allowed, and up with backslashes", "allow.test", "", "/public/..%5cprivate", nil, 403},
		{"allowed, and a parameter", "allow.test", "", "/public/..;/private", nil, 400},
		{"allowed, and an encoded parameter", "allow.test", "", "/public/..%3b/private", nil, 403},
		{"allowed in the query", "allow.test", "", "/private?/public/", nil, 403},
	}
	for _, target := range []string{
		"/admin", "/admin/", "/admin/x", "/%61dmin", "/%61%64%6D%69%6e/x", "//admin", "///admin//x", "/./admin", "/a/../admin", "/a/b/../../admin",
		"/%2e/admin", "/a/%2e%2e/admin", "/a/.%2E/admin", "/admin?x=1", "/admin/..%2fadmin", "/%2fadmin", "/admin%2fx", "/a%2f..%2fadmin", "/%5cadmin",
		"/a%5c..%5cadmin", "/%2561dmin", "/admin;x=1", "/admin;/x", "/admin%3bx", "/admin%2f", "/admin/.", "/admin/x/..", "http://acl.test/admin", "http://acl.test//admin",
	} {
		requests = append(requests, accessRequest{"denied", "acl.test", "", target, jo, 403})
	}
	for _, target := range []string{"/admin/..;/x", "/admin%00", "/%zzadmin", "/../admin", "/admin%", "/ad\x80min", "/a\\..\\admin"} {
		requests = append(requests, accessRequest{"refused by the gateway", "acl.test", "", target, jo, 400})
	}
	tryAccess(t, g, requests)
}

// An address is the connection's, unless somebody trusted tells it; and no other spelling makes it another.
func TestAddressTricks(t *testing.T) {
	const trusting = "[server]\nlisten = [{ address = \"127.0.0.1:0\", trusted_proxies = [\"127.0.0.0/8\", \"10.0.0.0/8\"] }]\n"
	backend := upstreamsTOML("b", Backend(t, Echo))
	alone := startBox(t, backend+accessTOML, "acl", "key-auth", "ip-rules", "agent-rules")
	behind := startBox(t, trusting+backend+accessTOML, "acl", "key-auth", "ip-rules", "agent-rules")
	var direct []accessRequest
	for _, field := range []string{"X-Forwarded-For: 198.51.100.7", "Forwarded: for=198.51.100.7", "X-Real-IP: 198.51.100.7", "X-Client-IP: 198.51.100.7", "True-Client-IP: 198.51.100.7",
		"X_Forwarded_For: 198.51.100.7", "CF-Connecting-IP: 198.51.100.7"} {
		direct = append(direct, accessRequest{field, "ip.test", "", "/", []string{field}, 403})
	}
	tryAccess(t, alone, direct)
	var told []accessRequest
	for _, tt := range []struct {
		field  string
		status int
	}{
		{"X-Forwarded-For: 198.51.100.7", 200},
		{"x-forwarded-for: 198.51.100.7", 200},
		{"X-Forwarded-For: 198.51.100.7, 10.1.2.3", 200},
		{"X-Forwarded-For: 198.51.100.7, 203.0.113.9", 403}, // the first is what anybody can write
		{"X-Forwarded-For: 198.51.100.7, 203.0.113.9, 10.1.2.3", 403},
		{"X-Forwarded-For: 198.51.100.66", 403},
		{"X-Forwarded-For: ::ffff:198.51.100.66", 403},
		{"X-Forwarded-For: ::ffff:c633:6442", 403},
		{"X-Forwarded-For: ::ffff:198.51.100.7", 200},
		{"X-Forwarded-For: 2001:db8::1", 200},
		{"X-Forwarded-For: 2001:DB8:0:0::1", 200},
		{"X-Forwarded-For: ::198.51.100.7", 403},
		{"X-Forwarded-For: 64:ff9b::198.51.100.7", 403},
		{"X-Forwarded-For: 198.51.100.07", 403},
		{"X-Forwarded-For: 0306.063.0144.07", 403},
		{"X-Forwarded-For: 3325256711", 403},
		{"X-Forwarded-For: 198.51.100.7x", 403},
		{"X-Forwarded-For: \uff11\uff19\uff18.51.100.7", 403},
		{"X-Forwarded-For: ", 403},
		{"X-Forwarded-For: unknown", 403},
		{"X-Forwarded-For: 198.51.100.7, ", 403},
	} {
		told = append(told, accessRequest{tt.field, "ip.test", "", "/", []string{tt.field}, tt.status})
	}
	told = append(told, accessRequest{"two fields", "ip.test", "", "/", []string{"X-Forwarded-For: 198.51.100.7", "X-Forwarded-For: 203.0.113.9"}, 403})
	tryAccess(t, behind, told)
}

// What is denied somewhere in a header is denied, however often and however it is sent.
func TestHeaderTricksAgainstAgentRules(t *testing.T) {
	g := startBox(t, upstreamsTOML("b", Backend(t, Echo))+accessTOML, "acl", "key-auth", "ip-rules", "agent-rules")
	var requests []accessRequest
	for _, tt := range []struct {
		fields string
		status int
	}{
		{"User-Agent: Mozilla|X-App: 3.1", 200},
		{"User-Agent: EvilBot/1|X-App: 3.1", 403},
		{"user-agent: x eViLbOt|x-app: 3.1", 403},
		{"User-Agent: Mozilla|User-Agent: evilbot|X-App: 3.1", 403},
		{"User-Agent: Mozilla|User_Agent: evilbot|X-App: 3.1", 403},
		{"User_Agent: Mozilla|X-App: 3.1", 403}, // it does not do for require
		{"User-Agent:|X-App: 3.1", 403},
		{"User-Agent: \t|X-App: 3.1", 403},
		{"User-Agent: Mozilla|X-App: 3.1|X-App: 2.0", 403},
		{"User-Agent: Mozilla|X-App: 3.1|X_App: 2.0", 403},
		{"User-Agent: Mozilla|X-App: 2.0, 3.1", 403},
		{"User-Agent: Mozilla|X-App: \uff13.1", 403},
		{"User-Agent: Mozilla|X-App:", 403},
		{"User-Agent: Mozilla\xff\xfe evilbot|X-App: 3.1", 403},
		{"User-Agent: " + strings.Repeat("a", 12<<10) + "evilbot|X-App: 3.1", 403},
		{"User-Agent: " + strings.Repeat("evilbo", 2000) + "|X-App: 3.1", 200},
	} {
		requests = append(requests, accessRequest{"agent", "agent.test", "", "/", strings.Split(tt.fields, "|"), tt.status})
	}
	tryAccess(t, g, requests)
}

// A service that answers oddly, slowly, too much or not at all lets nobody pass, and costs nobody else.
func TestForwardAuthServiceThatMisbehaves(t *testing.T) {
	answers := map[string]struct {
		text   string
		status int
	}{
		"continue first":   {"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", 403},
		"early hints":      {"HTTP/1.1 103 Early Hints\r\nX-User: root\r\n\r\nHTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", 401},
		"switching":        {"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n", 503},
		"not modified":     {"HTTP/1.1 304 Not Modified\r\n\r\n", 503},
		"nowhere":          {"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", 503},
		"somewhere":        {"HTTP/1.1 302 Found\r\nLocation: https://id.test/\r\nContent-Length: 0\r\n\r\n", 302},
		"failing":          {"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", 503},
		"two users":        {"HTTP/1.1 200 OK\r\nX-User: jo\r\nX-User: root\r\nContent-Length: 0\r\n\r\n", 503},
		"a forged line":    {"HTTP/1.1 200 OK\r\nX-User: jo\rX-Role: root\r\nContent-Length: 0\r\n\r\n", 503},
		"two lengths":      {"HTTP/1.1 200 OK\r\nX-User: jo\r\nContent-Length: 0\r\nContent-Length: 5\r\n\r\n", 503},
		"huge head":        {"HTTP/1.1 200 OK\r\nX-User: jo\r\nX-Fill: " + strings.Repeat("a", 1<<20) + "\r\nContent-Length: 0\r\n\r\n", 503},
		"many fields":      {"HTTP/1.1 200 OK\r\nX-User: jo\r\n" + strings.Repeat("X-F: a\r\n", 5000) + "Content-Length: 0\r\n\r\n", 503},
		"cut in the head":  {"HTTP/1.1 200 OK\r\nX-User: jo\r\n", 503},
		"cut in the body":  {"HTTP/1.1 200 OK\r\nX-User: jo\r\nContent-Length: 100\r\n\r\nabc", 503},
		"nothing":          {"", 503},
		"no HTTP":          {"220 mail.test ESMTP\r\n", 503},
		"another status":   {"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n", 503},
		"hangs":            {"hang", 503},
		"hangs in a head":  {"HTTP/1.1 200 OK\r\nX-User: jo\r\nhang", 503},
		"lets pass":        {"HTTP/1.1 204 No Content\r\nX-User: jo\r\n\r\n", 200},
		"an endless body":  {"HTTP/1.1 200 OK\r\nX-User: jo\r\nTransfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("a", 0x1000)+"\r\n", 1000) + "hang", 503},
		"huge, who is who": {"HTTP/1.1 200 OK\r\nX-User: " + strings.Repeat("j", 10<<10) + "\r\nContent-Length: 0\r\n\r\n", 503},
	}
	var toml, routes strings.Builder
	number := 0
	targets := map[string]string{}
	for name, answer := range answers {
		upstream, patience := fmt.Sprintf("s%d", number), 30_000
		if strings.HasSuffix(answer.text, "hang") {
			patience = 2000
		}
		toml.WriteString(upstreamsTOML(upstream, oddService(t, answer.text)))
		fmt.Fprintf(&routes, "[[routes]]\nname = %q\npath = \"/%s\"\nupstream = \"b\"\nfilters = [{ use = \"forward-auth\", on_error = \"skip\", config = { upstream = %q, timeout_ms = %d, consumer = \"X-User\" } }]\n",
			upstream, upstream, upstream, patience)
		targets[name] = "/" + upstream
		number++
	}
	var grants strings.Builder
	for i := range number {
		fmt.Fprintf(&grants, "\"fetch:s%d\", ", i)
	}
	g := startBox(t, upstreamsTOML("b", Backend(t, tellIdentity))+toml.String()+"[plugins.forward-auth]\ngrants = ["+grants.String()+"\"kv\"]\n"+routes.String(), "forward-auth")
	for name, answer := range answers {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			status, body := sendHead(t, g.Addr, "GET", targets[name], "X-Consumer: root", "Authorization: x")
			want := ""
			if answer.status == 200 {
				want = "x-consumer=jo"
			}
			if status != answer.status || strings.Contains(body, "x-consumer") && body != want || status == 200 && body != want {
				t.Errorf("got %d %.200s, want %d %s", status, body, answer.status, want)
			}
		})
	}
}

// oddService answers every connection with a text as it is, after a request's head, and closes it then; at "hang" it holds still.
func oddService(t *testing.T, text string) string {
	t.Helper()
	l := must(net.Listen("tcp", "127.0.0.1:0"))
	t.Cleanup(func() { l.Close() })
	text, hangs := strings.CutSuffix(text, "hang")
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return // the test is over
			}
			go func() {
				defer conn.Close()
				_ = conn.SetDeadline(time.Now().Add(time.Minute)) // whatever happens, it ends
				if _, err := http.ReadRequest(bufio.NewReader(conn)); err != nil {
					return
				}
				_, _ = io.WriteString(conn, text) // who has enough hangs up
				if hangs {
					_, _ = io.Copy(io.Discard, conn)
				}
			}()
		}
	}()
	return l.Addr().String()
}

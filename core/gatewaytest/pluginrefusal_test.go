package gatewaytest

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

const refusingTOML = `
[plugins.basic-auth]
grants = ["passwords:staff"]
[plugins.forward-auth]
grants = ["fetch:auth", "kv"]
[plugins.hmac-auth]
grants = ["kv"]
[plugins.jwt-auth]
grants = ["jwt:main"]
[plugins.key-auth-kv]
grants = ["kv"]
[plugins.validate]
grants = ["schema:order"]
[passwords.staff]
users = { jo = "$2y$04$ZkyKN/HQaF4R//ed11Coh.rohzj2TVzrlWxmTqS4klR.R7L3EbcFm" }
[jwt.main]
secrets = ["0123456789abcdef0123456789abcdef"]
[schemas.order]
schema = '{ "type": "object", "properties": { "id": { "type": "string" } } }'
`

// Whoever asks the admin interface why a request was refused by a plugin of the box is told, also where the client is not.
func TestShippedPluginsSayWhyTheyRefuse(t *testing.T) {
	tests := []struct {
		name, use, config string
		body              string
		fields            []string
		status            int
		want              string
	}{
		{"acl-deny", "acl", `{ deny = [{ consumers = ["root"] }, { paths = ["/acl-deny"] }] }`, "", nil, 403, "The rule deny[1] is met"},
		{"acl-allow", "acl", `{ allow = [{ groups = ["staff"] }] }`, "", nil, 403, "No rule of allow is met"},
		{"agent", "agent-rules", `{ user_agent = { deny = ["curl/"] } }`, "", []string{"User-Agent: curl/8"}, 403, "By the rule of User-Agent"},
		{"basic-none", "basic-auth", `{ passwords = "staff" }`, "", nil, 401, "There are no credentials"},
		{"basic-wrong", "basic-auth", `{ passwords = "staff" }`, "", []string{"Authorization: Basic am86eA=="}, 401, "The user or the password is wrong"},
		{"basic-broken", "basic-auth", `{ passwords = "staff" }`, "", []string{"Authorization: Basic !"}, 401, "The credentials are malformed, twice, or of another scheme"},
		{"cors", "cors", `{ origins = ["https://app.test"], refuse = true }`, "", []string{"Origin: https://evil.test"}, 403, "The origin is not allowed"},
		{"forward", "forward-auth", `{ upstream = "auth" }`, "", nil, 402, "The service answers with 402"},
		{"forward-problem", "forward-auth", `{ upstream = "auth", body = false }`, "", nil, 402, "The service answers with 402"},
		{"hmac", "hmac-auth", `{ keys = [{ id = "a", secret = "0123456789abcdef" }] }`, "", nil, 401, "There is no signature"},
		{"hmac-stale", "hmac-auth", `{ keys = [{ id = "a", secret = "0123456789abcdef" }] }`, "", []string{"Authorization: HMAC-SHA256 id=a, created=1, signature=AAAA"}, 401, "The signature is too old, or from the future"},
		{"ip-deny", "ip-rules", `{ deny = ["127.0.0.0/8"] }`, "", nil, 403, "The address is denied"},
		{"ip-allow", "ip-rules", `{ allow = ["10.0.0.0/8"], status = 404 }`, "", nil, 404, "The address is not among those that are allowed"},
		{"jwt-none", "jwt-auth", `{ keys = "main" }`, "", nil, 401, "There is no token"},
		{"jwt-wrong", "jwt-auth", `{ keys = "main" }`, "", []string{"Authorization: Bearer x"}, 401, "The token is malformed, from or for somebody else, or not signed by a key that is known"},
		{"key-none", "key-auth", `{ keys = [{ key = "k", consumer = "jo" }] }`, "", nil, 401, "There is no key"},
		{"key-two", "key-auth", `{ keys = [{ key = "k", consumer = "jo" }] }`, "", []string{"X-Api-Key: k", "X-Api-Key: k"}, 401, "There is more than one key"},
		{"key-wrong", "key-auth", `{ keys = [{ key = "k", consumer = "jo" }] }`, "", []string{"X-Api-Key: j"}, 401, "The key is unknown"},
		{"kv-none", "key-auth-kv", `{}`, "", nil, 401, "There is no key"},
		{"kv-wrong", "key-auth-kv", `{}`, "", []string{"X-Api-Key: j"}, 401, "The key is unknown"},
		{"transform", "transform", `{ request_json = [{ remove = "/a" }] }`, "nope", []string{"Content-Type: application/json"}, 400, "The JSON cannot be read, or not changed as the steps say"},
		{"transform-type", "transform", `{ request_json = [{ remove = "/a" }] }`, "nope", []string{"Content-Type: text/plain"}, 415, "The content is not JSON"},
		{"validate", "validate", `{ parameters = [{ name = "X-Id", in = "header", type = "integer" }] }`, "", []string{"X-Id: seven"}, 400, "header.X-Id must be an integer"},
		{"validate-body", "validate", `{ body = { schema = "order" } }`, `{"id":7}`, []string{"Content-Type: application/json"}, 400, "body /id must be string"},
		{"validate-type", "validate", `{ body = { schema = "order" } }`, `x`, []string{"Content-Type: text/plain"}, 415, "body is of a content type or coding that is not taken"},
	}
	auth := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusPaymentRequired) }
	toml, names := upstreamsTOML("auth", Backend(t, auth))+refusingTOML, map[string]bool{}
	for _, tt := range tests {
		toml += "[[routes]]\nname = \"" + tt.name + "\"\npath = \"/" + tt.name + "\"\nrespond = { status = 204 }\n" +
			"filters = [{ use = \"" + tt.use + "\", config = " + tt.config + " }]\n"
		names[tt.use] = true
	}
	var all []string
	for name := range names {
		all = append(all, name)
	}
	g := startBox(t, toml, all...)
	for _, tt := range tests {
		status, _, body := g.Do("POST", "/"+tt.name, tt.body, tt.fields...)
		if status != tt.status || strings.Contains(body, tt.want) && tt.use != "validate" {
			t.Errorf("%s: the client gets %d %s, want %d", tt.name, status, body, tt.status)
		}
	}
	if err := g.Drain(t.Context()); err != nil { // all has ended then
		t.Fatal(err)
	}
	got := map[string]string{}
	list, _ := g.Refusals()
	for _, r := range list {
		got[r.Route] = r.Example.Reason
	}
	for _, tt := range tests {
		if got[tt.name] != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got[tt.name], tt.want)
		}
	}
}

// A config that names what a plugin was not granted is refused as a whole, with every place.
func TestShippedPluginsSayWhatIsNotGranted(t *testing.T) {
	uses := []struct{ use, config, want string }{
		{"jwt-auth", `keys = "%s"`, `.keys: plugin jwt-auth: needs the grant "jwt:%s"`},
		{"basic-auth", `passwords = "%s"`, `.passwords: plugin basic-auth: needs the grant "passwords:%s"`},
		{"key-auth-kv", `store = "%s"`, `.store: plugin key-auth-kv: needs the grant "kv:%s"`},
		{"validate", `body = { schema = "%s" }`, `.body.schema: plugin validate: needs the grant "schema:%s"`},
		{"forward-auth", `upstream = "%s"`, `.upstream: plugin forward-auth: needs the grant "fetch:%s"`},
	}
	toml := refusingTOML + "[upstreams.auth]\nendpoints = [\"127.0.0.1:1\"]\n"
	g := startBox(t, toml+"[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 204 }\n", "basic-auth", "forward-auth", "jwt-auth", "key-auth-kv", "validate")
	for _, u := range uses {
		toml += fmt.Sprintf("[[routes]]\nname = %q\npath = \"/%s\"\nrespond = { status = 204 }\nfilters = [{ use = %q, config = { "+u.config+" } }]\n", u.use, u.use, u.use, "other")
	}
	err := g.ApplyText(toml)
	if err == nil {
		t.Fatal("accepted")
	}
	for _, u := range uses {
		if want := fmt.Sprintf(u.want, "other"); !strings.Contains(err.Error(), want) {
			t.Errorf("%s: want %s in\n%v", u.use, want, err)
		}
	}
}

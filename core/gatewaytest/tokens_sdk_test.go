package gatewaytest

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
)

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

// token signs claims.
func token(algorithm, claims string, sign func(text []byte) []byte) string {
	text := segment(`{"alg":"`+algorithm+`","kid":"k1"}`) + "." + segment(claims)
	return text + "." + segment(string(sign([]byte(text))))
}

const tokenTOML = `[log]
access = "access.log"
[plugins.token]
grants = ["jwt:main", "fetch:profiles"]
time_limit = "10s"
[[routes]]
name = "all"
path = "/*rest"
upstream = "b"
filters = ["token"]
[jwt.main]
`

// tokenGateway has the token plugin before an upstream, and a service that knows a profile of everybody.
func tokenGateway(t *testing.T, wasm []byte, keys string) *Gateway {
	profiles := Backend(t, func(w http.ResponseWriter, r *http.Request) { io.WriteString(w, "profile of "+r.URL.Path[1:]) })
	return startPlugin(t, "token", wasm, upstreamsTOML("b", Backend(t, Echo), "profiles", profiles)+tokenTOML+keys)
}

// wantWho sends a token and compares status and profile.
func wantWho(t *testing.T, g *Gateway, token, want string, fields ...string) {
	t.Helper()
	status, header, body := g.Get("/", append(fields, "Authorization: Bearer "+token)...)
	title := ""
	if status == 401 {
		_, title, _ = strings.Cut(body, `"title":"`)
		title, _, _ = strings.Cut(title, `"`)
	}
	if got := fmt.Sprint(status, " ", header.Get("X-Profile"), title); got != want {
		t.Errorf("got %q, want %q\n%s", got, want, g.Logs())
	}
}

func TestTokensThroughTheSDKs(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	hs := func(text []byte) []byte {
		m := hmac.New(sha256.New, []byte(secret))
		m.Write(text)
		return m.Sum(nil)
	}
	public, private, err := ed25519.GenerateKey(nil)
	if err != nil {
		t.Fatal(err)
	}
	ed := func(text []byte) []byte { return ed25519.Sign(private, text) }
	published := Backend(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprintf(w, `{"keys":[{"kty":"OKP","crv":"Ed25519","kid":"k1","use":"sig","x":%q}]}`, base64.RawURLEncoding.EncodeToString(public))
	})
	in := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
	claims := func(sub string, d time.Duration) string {
		return fmt.Sprintf(`{"aud":["a","b"],"sub":%q,"x":{"sub":"root"},"exp":%d}`, sub, in(d))
	}
	eachBuild(t, "testdata/token-go", "testdata/token-rust", func(t *testing.T, wasm []byte) {
		for _, kind := range []struct {
			name, algorithm, keys string
			sign, other           func([]byte) []byte
		}{
			{"secrets", "HS256", "secrets = [\"" + secret + "\"]\n", hs, ed},
			{"jwks_url", "EdDSA", "jwks_url = \"http://" + published + "/keys.json\"\nalgorithms = [\"EdDSA\"]\n", ed, hs},
		} {
			t.Run(kind.name, func(t *testing.T) {
				g := tokenGateway(t, wasm, kind.keys)
				good := token(kind.algorithm, claims("jo", time.Hour), kind.sign)
				if kind.name == "jwks_url" {
					Until(t, "the keys are there", func() bool {
						status, _, _ := g.Get("/", "Authorization: Bearer "+good)
						return status == 200
					})
				}
				wantWho(t, g, good, "200 profile of jo", "X-Consumer: root")
				wantWho(t, g, good, "200 held profile of jo", "X-Hold: yes")
				wantWho(t, g, token(kind.algorithm, claims("jo", -time.Hour), kind.sign), "401 The token has expired")
				wantWho(t, g, token(kind.algorithm, claims("jo", time.Hour), kind.other), "401 A token is needed")
				wantWho(t, g, token("none", claims("jo", time.Hour), func([]byte) []byte { return nil }), "401 A token is needed")
				wantWho(t, g, "", "401 A token is needed")
				wantWho(t, g, token(kind.algorithm, claims("", time.Hour), kind.sign), "401 The token does not say who you are")
				Until(t, "the access log tells the consumer", func() bool {
					log, err := os.ReadFile(filepath.Join(g.Dir, "access.log"))
					return err == nil && strings.Contains(string(log), `"consumer":"jo"`)
				})
			})
		}
		t.Run("keys that cannot be had", func(t *testing.T) {
			g := tokenGateway(t, wasm, "jwks_url = \"http://"+free.Address(t)+"/keys.json\"\nalgorithms = [\"EdDSA\"]\n")
			wantWho(t, g, token("EdDSA", claims("jo", time.Hour), ed), "503 ")
			if !strings.Contains(g.Logs(), "unavailable") {
				t.Errorf("the log does not say why:\n%s", g.Logs())
			}
		})
	})
}

package gatewaytest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/c2sp/wycheproof"
	"github.com/golang-jwt/jwt/v5"
	"github.com/sallyport/sallyport/core/gatewaytest/toolchain"
)

// vectors are Project Wycheproof's test vectors for JWS.
type vectors struct {
	Groups []*vectorGroup `json:"testGroups"`
}

type vectorGroup struct {
	Comment string
	Public  json.RawMessage
	Private json.RawMessage
	Tests   []struct {
		ID      int `json:"tcId"`
		Comment string
		Result  string
		JWS     string
	}

	key       privateJWK
	published string // the key as [jwt.NAME] takes it; "" if it must not be taken
}

type privateJWK struct {
	Type      string `json:"kty"`
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
	Curve     string `json:"crv"`
	K, N, E   string
	D, P, Q   string
}

func readVectors(t *testing.T) []*vectorGroup {
	t.Helper()
	text, err := fs.ReadFile(wycheproof.TestVectors, "json_web_signature_test.json")
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(text, &v); err != nil {
		t.Fatal(err)
	}
	for _, g := range v.Groups {
		if err := json.Unmarshal(g.Private, &g.key); err != nil {
			t.Fatal(err)
		}
		published := g.Public
		if published == nil { // HMAC
			published = g.Private
		}
		g.published = `{"keys":[` + string(published) + `]}`
	}
	return v.Groups
}

func number(t *testing.T, text string) *big.Int {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return new(big.Int).SetBytes(b)
}

// signer returns the group's private key as package jwt takes it.
func (g *vectorGroup) signer(t *testing.T) any {
	t.Helper()
	switch k := g.key; k.Type {
	case "oct":
		b, err := base64.RawURLEncoding.DecodeString(k.K)
		if err != nil {
			t.Fatal(err)
		}
		return b
	case "RSA":
		private := &rsa.PrivateKey{
			PublicKey: rsa.PublicKey{N: number(t, k.N), E: int(number(t, k.E).Int64())},
			D:         number(t, k.D), Primes: []*big.Int{number(t, k.P), number(t, k.Q)},
		}
		private.Precompute()
		return private
	}
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-521": elliptic.P521()}[g.key.Curve]
	size := (curve.Params().BitSize + 7) / 8
	private, err := ecdsa.ParseRawPrivateKey(curve, number(t, g.key.D).FillBytes(make([]byte, size)))
	if err != nil {
		t.Fatal(err)
	}
	return private
}

// algorithm is what the group's first valid token is signed with, as its head says, or else the key's.
func (g *vectorGroup) algorithm() string {
	for _, test := range g.Tests {
		if head, ok := headOf(test.JWS); ok && test.Result == "valid" {
			return head.Algorithm
		}
	}
	return g.key.Algorithm
}

type jwsHead struct {
	Algorithm string `json:"alg"`
	ID        string `json:"kid"`
}

func headOf(token string) (head jwsHead, ok bool) {
	text, _, _ := strings.Cut(token, ".")
	b, err := base64.RawURLEncoding.Strict().DecodeString(text)
	return head, err == nil && json.Unmarshal(b, &head) == nil
}

// Not one of Project Wycheproof's invalid tokens passes a route with jwt-auth, neither as it is nor over claims that would pass. Its valid
// ones carry no claims, so that they are no JSON Web Tokens and pass neither; over claims, signed by the same key under the very same head, they do.
func TestWycheproofThroughJWTAuth(t *testing.T) {
	claims := segment(fmt.Sprintf(`{"sub":"jo","exp":%d}`, time.Now().Add(time.Hour).Unix()))
	toml, groups := upstreamsTOML("b", Backend(t, Echo)), readVectors(t)
	var grants []string
	for i, g := range groups {
		algorithm := g.algorithm()
		if algorithm == "" || g.key.Algorithm != algorithm { // TestKeysForSomethingElse
			continue
		}
		grants = append(grants, fmt.Sprintf(`"jwt:g%d"`, i))
		toml += fmt.Sprintf("[jwt.g%d]\njwks = '''%s'''\nalgorithms = [%q]\n", i, g.published, algorithm)
		toml += fmt.Sprintf("[[routes]]\nname = \"g%d\"\npath = \"/g%d\"\nupstream = \"b\"\nfilters = [{ use = \"jwt-auth\", config = { keys = \"g%d\" } }]\n", i, i, i)
	}
	toml += "[plugins.jwt-auth]\ngrants = [" + strings.Join(grants, ", ") + "]\n"
	g := startPlugin(t, "jwt-auth", toolchain.TinyGo(t, "../../plugins/jwt-auth"), toml)
	pass := func(group int, token string) bool {
		if strings.ContainsAny(token, "\r\n\x00") {
			return false // it cannot be sent
		}
		status, _, body := g.Get(fmt.Sprintf("/g%d", group), "Authorization: Bearer "+token)
		if status != 200 && status != 401 {
			t.Errorf("group %d: status %d\n%s", group, status, g.Logs())
		}
		return status == 200 && strings.Contains(body, "X-Consumer: jo")
	}
	refused, accepted := 0, 0
	for i, group := range groups {
		if !strings.Contains(toml, fmt.Sprintf("[jwt.g%d]", i)) {
			continue
		}
		key, method := group.signer(t), jwt.GetSigningMethod(group.algorithm())
		for _, test := range group.Tests {
			if pass(i, test.JWS) {
				t.Errorf("%d %s: %s passes as it is", test.ID, test.Comment, test.Result)
			}
			parts := strings.Split(test.JWS, ".")
			if len(parts) != 3 {
				refused++
				continue
			}
			if pass(i, parts[0]+"."+claims+"."+parts[2]) {
				t.Errorf("%d %s: its signature passes over other claims", test.ID, test.Comment)
			}
			signature, err := method.Sign(parts[0]+"."+claims, key)
			if err != nil {
				t.Fatal(err)
			}
			head, ok := headOf(test.JWS)
			want := ok && head == jwsHead{group.algorithm(), group.key.ID}
			if got := pass(i, parts[0]+"."+claims+"."+segment(string(signature))); got != want {
				t.Errorf("%d %s: claims under its head %+v pass: %v, want %v", test.ID, test.Comment, head, got, want)
			}
			if want && test.Result == "valid" {
				accepted++
			} else {
				refused++
			}
		}
	}
	if accepted < 30 || refused < 320 {
		t.Errorf("%d accepted, %d refused: where are the others?", accepted, refused)
	}
	t.Logf("%d tokens refused; %d heads of valid tokens accepted over claims", refused, accepted)
}

// Keys that are published for something else than signatures, or for an algorithm that does not exist (RFC 7520 has ES521 for ES512), are not
// taken.
func TestKeysForSomethingElse(t *testing.T) {
	found, wasm := 0, toolchain.TinyGo(t, "../../plugins/jwt-auth")
	for i, group := range readVectors(t) {
		if algorithm := group.algorithm(); algorithm != "" && group.key.Algorithm == algorithm || group.key.Algorithm == "PS256" {
			continue // RFC 7520 has a key for PS256 and a token with PS384: the key would be good
		}
		found++
		err := newPlugin(t, "jwt-auth", wasm).ApplyText(fmt.Sprintf("[jwt.main]\njwks = '''%s'''\nalgorithms = [\"RS256\", \"ES256\", \"ES512\"]\n"+
			"[plugins.jwt-auth]\ngrants = [\"jwt:main\"]\n[[routes]]\nname = \"r\"\npath = \"/\"\nrespond = { status = 200 }\n"+
			"filters = [{ use = \"jwt-auth\", config = { keys = \"main\" } }]\n", group.published))
		if err == nil || !strings.Contains(err.Error(), "no key in the set can be used") {
			t.Errorf("group %d, %s: got %v", i, group.Comment, err)
		}
	}
	if found != 6 {
		t.Errorf("%d groups", found)
	}
}

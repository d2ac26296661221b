package jwt

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/big"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

var secret = []byte("0123456789abcdef0123456789abcdef")

// at is when tests take place.
var at = time.Unix(1_700_000_000, 0)

func sign(t testing.TB, algorithm, kid string, key any, claims jwt.MapClaims) string {
	t.Helper()
	token := jwt.NewWithClaims(jwt.GetSigningMethod(algorithm), claims)
	if kid != "" {
		token.Header["kid"] = kid
	}
	text, err := token.SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func newKeys(t testing.TB, o Options) *Keys {
	t.Helper()
	if o.Log == nil {
		o.Log = slog.New(slog.NewTextHandler(io.Discard, nil))
	}
	k, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	k.now = func() time.Time { return at }
	t.Cleanup(k.Close)
	return k
}

func segment(text string) string { return base64.RawURLEncoding.EncodeToString([]byte(text)) }

func TestVerifyClaims(t *testing.T) {
	unix := func(d time.Duration) int64 { return at.Add(d).Unix() }
	good := func() jwt.MapClaims {
		return jwt.MapClaims{"sub": "jo", "iss": "https://issuer", "aud": []string{"a", "orders"}, "exp": unix(time.Minute), "iat": unix(-time.Minute)}
	}
	with := func(name string, value any) jwt.MapClaims {
		claims := good()
		if claims[name] = value; value == nil {
			delete(claims, name)
		}
		return claims
	}
	tests := []struct {
		name   string
		claims jwt.MapClaims
		want   error
	}{
		{"good", good(), nil},
		{"audience as a string", with("aud", "orders"), nil},
		{"expired within the leeway", with("exp", unix(-59*time.Second)), nil},
		{"expired", with("exp", unix(-61*time.Second)), ErrExpired},
		{"no expiry", with("exp", nil), ErrInvalid},
		{"expiry is text", with("exp", "soon"), ErrInvalid},
		{"expiry is huge", with("exp", 1e300), ErrExpired},
		{"not yet valid within the leeway", with("nbf", unix(59*time.Second)), nil},
		{"not yet valid", with("nbf", unix(61*time.Second)), ErrExpired},
		{"issued in the future", with("iat", unix(61*time.Second)), ErrExpired},
		{"other issuer", with("iss", "https://evil"), ErrInvalid},
		{"no issuer", with("iss", nil), ErrInvalid},
		{"other audience", with("aud", "others"), ErrInvalid},
		{"no audience", with("aud", nil), ErrInvalid},
	}
	k := newKeys(t, Options{
		Secrets: [][]byte{secret}, Algorithms: []string{"HS256"}, Issuers: []string{"https://other", "https://issuer"}, Audiences: []string{"orders"},
		Leeway: time.Minute, NeedsExpiry: true,
	})
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			token := sign(t, "HS256", "", secret, tt.claims)
			for range 2 { // the second time from what is remembered
				claims, err := k.Verify(context.Background(), token)
				if !errors.Is(err, tt.want) || (err == nil) != (tt.want == nil) {
					t.Fatalf("got %v, want %v", err, tt.want)
				}
				var got map[string]any
				if err == nil && (json.Unmarshal([]byte(claims), &got) != nil || got["sub"] != "jo") {
					t.Errorf("got claims %s", claims)
				}
			}
		})
	}
}

func TestMalformedTokens(t *testing.T) {
	k := newKeys(t, Options{Secrets: [][]byte{secret}, Algorithms: []string{"HS256"}})
	good := sign(t, "HS256", "", secret, jwt.MapClaims{"sub": "jo"})
	head, rest, _ := strings.Cut(good, ".")
	payload, signature, _ := strings.Cut(rest, ".")
	resign := func(head, payload string) string {
		text := segment(head) + "." + segment(payload)
		mac, err := jwt.SigningMethodHS256.Sign(text, secret)
		if err != nil {
			t.Fatal(err)
		}
		return text + "." + base64.RawURLEncoding.EncodeToString(mac)
	}
	tests := []struct{ name, token string }{
		{"empty", ""},
		{"no dots", "abc"},
		{"one dot", head + "." + payload},
		{"four parts", good + ".x"},
		{"no signature", head + "." + payload + "."},
		{"other signature", head + "." + payload + "." + segment(strings.Repeat("x", 32))},
		{"changed payload", head + "." + segment(`{"sub":"root"}`) + "." + signature},
		{"padded", good + "="},
		{"not canonical", good[:len(good)-1] + string(good[len(good)-1]+1)},
		{"none", segment(`{"alg":"none"}`) + "." + payload + "."},
		{"None", segment(`{"alg":"None"}`) + "." + payload + "." + signature},
		{"algorithm that is not allowed", resign(`{"alg":"HS512"}`, `{}`)},
		{"two algorithms", resign(`{"alg":"none","alg":"HS256"}`, `{}`)},
		{"critical extension", resign(`{"alg":"HS256","crit":["exp"]}`, `{}`)},
		{"compressed", resign(`{"alg":"HS256","zip":"DEF"}`, `{}`)},
		{"head is no object", resign(`["HS256"]`, `{}`)},
		{"head is no JSON", resign(`{"alg":`, `{}`)},
		{"payload is no JSON", resign(`{"alg":"HS256"}`, `{`)},
		{"payload is an array", resign(`{"alg":"HS256"}`, `[]`)},
		{"too long", resign(`{"alg":"HS256"}`, `{"x":"`+strings.Repeat("x", MaxToken)+`"}`)},
	}
	if _, err := k.Verify(context.Background(), good); err != nil {
		t.Fatal(err)
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if claims, err := k.Verify(context.Background(), tt.token); !errors.Is(err, ErrInvalid) {
				t.Errorf("got %q, %v", claims, err)
			}
		})
	}
}

func publicPEM(t testing.TB, public any) []byte {
	t.Helper()
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
}

type signer struct {
	algorithm string
	key       crypto.Signer
}

func signers(t testing.TB) []signer {
	t.Helper()
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	list := []signer{{"RS256", r}, {"PS256", r}}
	for algorithm, curve := range map[string]elliptic.Curve{"ES256": elliptic.P256(), "ES384": elliptic.P384(), "ES512": elliptic.P521()} {
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, signer{algorithm, key})
	}
	_, ed, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return append(list, signer{"EdDSA", ed})
}

// all are all algorithms: what keeps one kind of key from being used as another must not be the list.
func all() (names []string) {
	for name := range algorithms {
		names = append(names, name)
	}
	return names
}

func TestPublicKeys(t *testing.T) {
	for _, s := range signers(t) {
		t.Run(s.algorithm, func(t *testing.T) {
			text := publicPEM(t, s.key.Public())
			k := newKeys(t, Options{PEM: [][]byte{text}, Algorithms: all()})
			if _, err := k.Verify(context.Background(), sign(t, s.algorithm, "", s.key, jwt.MapClaims{"sub": "jo"})); err != nil {
				t.Error(err)
			}
			// The well-known confusion: a token signed with the public key's text as an HMAC secret.
			forged := sign(t, "HS256", "", text, jwt.MapClaims{"sub": "root"})
			if _, err := k.Verify(context.Background(), forged); !errors.Is(err, ErrInvalid) {
				t.Errorf("a forged token: %v", err)
			}
		})
	}
}

func TestRefusedKeys(t *testing.T) {
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Skip("this Go makes no weak keys: ", err)
	}
	tests := []struct {
		name string
		o    Options
	}{
		{"no algorithm", Options{Secrets: [][]byte{secret}}},
		{"unknown algorithm", Options{Secrets: [][]byte{secret}, Algorithms: []string{"none"}}},
		{"nothing", Options{Algorithms: []string{"HS256"}}},
		{"short secret", Options{Secrets: [][]byte{secret[:31]}, Algorithms: []string{"HS256"}}},
		{"no PEM", Options{PEM: [][]byte{[]byte("hello")}, Algorithms: []string{"RS256"}}},
		{"a private key", Options{PEM: [][]byte{pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY"})}, Algorithms: []string{"RS256"}}},
		{"weak RSA", Options{PEM: [][]byte{publicPEM(t, weak.Public())}, Algorithms: []string{"RS256"}}},
		{"no key set", Options{JWKS: []byte("[]"), Algorithms: []string{"RS256"}}},
		{"empty key set", Options{JWKS: []byte(`{"keys":[]}`), Algorithms: []string{"RS256"}}},
		{"key set of others", Options{JWKS: []byte(`{"keys":[{"kty":"oct","use":"enc","k":"AAAA"},{"kty":"x"}]}`), Algorithms: []string{"RS256"}}},
		{"point off the curve", Options{JWKS: []byte(fmt.Sprintf(`{"keys":[{"kty":"EC","crv":"P-256","x":%q,"y":%q}]}`, segment(strings.Repeat("x", 32)), segment(strings.Repeat("y", 32)))), Algorithms: []string{"ES256"}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if k, err := New(tt.o); err == nil {
				k.Close()
				t.Error("taken")
			}
		})
	}
}

func jwkOf(kid, algorithm string, public any) map[string]string {
	b64 := base64.RawURLEncoding.EncodeToString
	k := map[string]string{"kid": kid, "use": "sig"}
	switch p := public.(type) {
	case *rsa.PublicKey:
		k["kty"], k["n"], k["e"] = "RSA", b64(p.N.Bytes()), b64(big.NewInt(int64(p.E)).Bytes())
	case *ecdsa.PublicKey:
		point, err := p.Bytes()
		if err != nil {
			panic(err)
		}
		half := len(point) / 2
		k["kty"], k["crv"], k["x"], k["y"] = "EC", p.Curve.Params().Name, b64(point[1:half+1]), b64(point[half+1:])
	case ed25519.PublicKey:
		k["kty"], k["crv"], k["x"] = "OKP", "Ed25519", b64(p)
	case []byte:
		k["kty"], k["k"] = "oct", b64(p)
	}
	if algorithm != "" {
		k["alg"] = algorithm
	}
	return k
}

func jwksOf(t testing.TB, keys ...map[string]string) []byte {
	t.Helper()
	text, err := json.Marshal(map[string]any{"keys": keys})
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func TestKeySet(t *testing.T) {
	list := signers(t)
	var keys []map[string]string
	for _, s := range list {
		keys = append(keys, jwkOf("key-"+s.algorithm, s.algorithm, s.key.Public()))
	}
	keys = append(keys, jwkOf("secret", "HS256", secret), map[string]string{"kty": "unknown", "kid": "x"})
	k := newKeys(t, Options{JWKS: jwksOf(t, keys...), Algorithms: all()})
	for _, s := range list {
		for _, kid := range []string{"", "key-" + s.algorithm} {
			if _, err := k.Verify(context.Background(), sign(t, s.algorithm, kid, s.key, jwt.MapClaims{})); err != nil {
				t.Errorf("%s with kid %q: %v", s.algorithm, kid, err)
			}
		}
		if _, err := k.Verify(context.Background(), sign(t, s.algorithm, "other", s.key, jwt.MapClaims{})); !errors.Is(err, ErrInvalid) {
			t.Errorf("%s with another kid: %v", s.algorithm, err)
		}
	}
	// The key says RS256, the token PS256.
	if _, err := k.Verify(context.Background(), sign(t, "PS256", "key-RS256", list[0].key, jwt.MapClaims{})); !errors.Is(err, ErrInvalid) {
		t.Errorf("a key used with another algorithm than its own: %v", err)
	}
	if _, err := k.Verify(context.Background(), sign(t, "HS256", "secret", secret, jwt.MapClaims{})); err != nil {
		t.Error(err)
	}
}

// issuer serves key sets.
type issuer struct {
	*httptest.Server
	asked  atomic.Int64
	answer atomic.Pointer[[]byte] // nil: an error
}

func newIssuer(t testing.TB) *issuer {
	i := &issuer{}
	i.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i.asked.Add(1)
		text := i.answer.Load()
		if text == nil {
			http.Error(w, "no", http.StatusInternalServerError)
			return
		}
		_, _ = w.Write(*text)
	}))
	t.Cleanup(i.Close)
	return i
}

func (i *issuer) publish(text []byte) { i.answer.Store(&text) }

func TestRemoteKeys(t *testing.T) {
	first, second := signers(t)[0], signers(t)[0]
	i := newIssuer(t)
	i.publish(jwksOf(t, jwkOf("1", "RS256", first.key.Public())))
	k := newKeys(t, Options{Name: "main", URL: i.URL, Algorithms: []string{"RS256"}})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := k.Verify(ctx, sign(t, "RS256", "1", first.key, jwt.MapClaims{})); err != nil {
		t.Fatal(err)
	}
	// The issuer has changed its key, but was asked just now.
	i.publish(jwksOf(t, jwkOf("2", "RS256", second.key.Public())))
	token := sign(t, "RS256", "2", second.key, jwt.MapClaims{})
	asked := i.asked.Load()
	for range 100 {
		if _, err := k.Verify(ctx, token); !errors.Is(err, ErrInvalid) {
			t.Fatalf("an unknown key: %v", err)
		}
	}
	if got := i.asked.Load(); got != asked {
		t.Errorf("unknown keys made us ask %d times", got-asked)
	}
	// When it was long ago, it is asked, once for all.
	k.remote.mu.Lock()
	k.remote.last = time.Now().Add(-2 * coolDown)
	k.remote.mu.Unlock()
	results := make(chan error)
	for range 20 {
		go func() { _, err := k.Verify(ctx, token); results <- err }()
	}
	for range 20 {
		if err := <-results; err != nil {
			t.Error(err)
		}
	}
	if got := i.asked.Load(); got != asked+1 {
		t.Errorf("asked %d times, want once", got-asked)
	}
}

func TestRemoteFails(t *testing.T) {
	s := signers(t)[0]
	i := newIssuer(t)
	k := newKeys(t, Options{URL: i.URL, Algorithms: []string{"RS256"}})
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if _, err := k.Verify(ctx, sign(t, "RS256", "1", s.key, jwt.MapClaims{})); !errors.Is(err, ErrUnavailable) {
		t.Fatalf("without keys: %v", err)
	}
	i.publish(jwksOf(t, jwkOf("1", "RS256", s.key.Public())))
	for ctx.Err() == nil { // it is tried again by itself
		if _, err := k.Verify(ctx, sign(t, "RS256", "1", s.key, jwt.MapClaims{})); err == nil {
			break
		}
	}
	for fetching := true; fetching; runtime.Gosched() { // keys are known a moment before their fetch has ended
		k.remote.mu.Lock()
		fetching = k.remote.fetching
		k.remote.mu.Unlock()
	}
	i.answer.Store(nil)
	k.remote.mu.Lock()
	k.remote.last = time.Time{}
	k.remote.mu.Unlock()
	asked := i.asked.Load()
	if _, err := k.Verify(ctx, sign(t, "RS256", "unknown", s.key, jwt.MapClaims{})); !errors.Is(err, ErrInvalid) || i.asked.Load() == asked {
		t.Errorf("got %v, asked %d times", err, i.asked.Load()-asked)
	}
	if _, err := k.Verify(ctx, sign(t, "RS256", "1", s.key, jwt.MapClaims{"again": true})); err != nil {
		t.Errorf("keys that were known once must stay: %v", err)
	}
}

func TestNextFetch(t *testing.T) {
	r := remote{refresh: defaultRefresh}
	tests := []struct {
		cacheControl string
		want         time.Duration
	}{
		{"", defaultRefresh},
		{"max-age=3600", time.Hour},
		{"public, Max-Age=7200, must-revalidate", 2 * time.Hour},
		{"max-age=1", soonest},
		{"max-age=99999999999", latest},
		{"max-age=-5", defaultRefresh},
		{"max-age=x", defaultRefresh},
		{"no-store", defaultRefresh},
	}
	for _, tt := range tests {
		if got := r.nextFetch(tt.cacheControl); got != tt.want {
			t.Errorf("%q: got %v, want %v", tt.cacheControl, got, tt.want)
		}
	}
}

func TestCacheForgets(t *testing.T) {
	var c cache
	c.put("a", "claims", at.Add(time.Second), at)
	if _, ok := c.get("a", at); !ok {
		t.Error("forgotten at once")
	}
	if _, ok := c.get("a", at.Add(time.Second)); ok {
		t.Error("expired, but known")
	}
	for i := range 2 * maxCached {
		c.put(fmt.Sprint(i), "x", time.Time{}, at)
	}
	if len(c.known) > maxCached {
		t.Errorf("%d tokens are remembered", len(c.known))
	}
	c.clear()
	if _, ok := c.get("1", at); ok {
		t.Error("known after clear")
	}
}

func FuzzVerify(f *testing.F) {
	k := newKeys(f, Options{Secrets: [][]byte{secret}, Algorithms: []string{"HS256"}})
	good := sign(f, "HS256", "", secret, jwt.MapClaims{"sub": "jo"})
	f.Add(good)
	f.Add(segment(`{"alg":"none"}`) + "." + segment(`{}`) + ".")
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := k.Verify(context.Background(), token); err == nil && token != good {
			t.Errorf("took %q", token)
		}
	})
}

func FuzzKeySet(f *testing.F) {
	f.Add([]byte(`{"keys":[{"kty":"RSA","n":"AQAB","e":"AQAB"},{"kty":"EC","crv":"P-256","x":"AA","y":"AA"},{"kty":"OKP","crv":"Ed25519","x":"AA"}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		set, err := parseJWKS(text)
		if err == nil && len(set.keys) == 0 {
			t.Error("an empty set without an error")
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	k := newKeys(b, Options{Secrets: [][]byte{secret}, Algorithms: []string{"HS256"}})
	token := sign(b, "HS256", "", secret, jwt.MapClaims{"sub": "jo", "exp": at.Add(time.Hour).Unix()})
	for _, known := range []bool{true, false} {
		b.Run(fmt.Sprintf("known=%v", known), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if !known {
					k.seen.clear()
				}
				if _, err := k.Verify(context.Background(), token); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

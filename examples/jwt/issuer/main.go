// Command issuer stands in for an identity provider in examples/jwt: it makes a key when it starts, publishes it as a key set, and gives anybody
// any token.
package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:9005", "address to answer on")
	flag.Parse()
	if err := run(*listen); err != nil {
		fmt.Fprintln(os.Stderr, "issuer:", err)
		os.Exit(1)
	}
}

// run serves until SIGINT or SIGTERM.
func run(listen string) error {
	i, err := newIssuer()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	server := &http.Server{Addr: listen, Handler: i.handler(), ReadHeaderTimeout: 10 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() }) // what runs takes no time
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// issuer signs with one key. Its fields do not change; it is safe for concurrent use.
type issuer struct {
	key    *ecdsa.PrivateKey
	public []byte // 0x04, x and y
	id     string
}

func newIssuer() (*issuer, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256(public)
	return &issuer{key: key, public: public, id: encode(digest[:8])}, nil
}

func (i *issuer) handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /jwks.json", i.keySet)
	mux.HandleFunc("GET /token", i.token)
	return mux
}

// keySet answers with the public key, as RFC 7517 has it.
func (i *issuer) keySet(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/jwk-set+json")
	_ = json.NewEncoder(w).Encode(map[string]any{"keys": []map[string]string{{ // a client that is gone needs no answer
		"kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": i.id,
		"x": encode(i.public[1:33]), "y": encode(i.public[33:]),
	}}})
}

// token answers with a token whose claims are the query's parameters. ttl says how long it holds.
func (i *issuer) token(w http.ResponseWriter, r *http.Request) {
	claims, err := claimsOf(r.URL.Query(), time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	token, err := i.sign(claims)
	if err != nil {
		http.Error(w, "the token cannot be signed", http.StatusInternalServerError)
		return
	}
	fmt.Fprint(w, token)
}

// claimsOf makes claims of a query: those that every token has, and what it says. groups is a list that commas separate.
func claimsOf(query url.Values, now time.Time) (map[string]any, error) {
	claims := map[string]any{"iss": "https://id.example.com", "aud": "orders", "iat": now.Unix()}
	ttl := 5 * time.Minute
	for name := range query {
		value := query.Get(name)
		switch name {
		case "ttl":
			var err error
			if ttl, err = time.ParseDuration(value); err != nil {
				return nil, errors.New("ttl must be a duration, such as 5m")
			}
		case "groups":
			claims[name] = strings.Split(value, ",")
		default:
			claims[name] = value
		}
	}
	claims["exp"] = now.Add(ttl).Unix()
	if ttl < 0 {
		claims["iat"] = now.Add(2 * ttl).Unix()
	}
	return claims, nil
}

// sign makes a JSON Web Token in the compact form, signed with ES256 (RFC 7518, 3.4).
func (i *issuer) sign(claims map[string]any) (string, error) {
	head, err := json.Marshal(map[string]string{"alg": "ES256", "typ": "JWT", "kid": i.id})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(claims)
	if err != nil {
		return "", err
	}
	text := encode(head) + "." + encode(body)
	digest := sha256.Sum256([]byte(text))
	r, s, err := ecdsa.Sign(rand.Reader, i.key, digest[:])
	if err != nil {
		return "", err
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return text + "." + encode(signature), nil
}

func encode(data []byte) string { return base64.RawURLEncoding.EncodeToString(data) }

// Package jwt verifies JSON Web Tokens (RFC 7519) against named sets of keys.
package jwt

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// MaxToken is the most bytes that a token may have.
const MaxToken = 8 << 10

// What is wrong with a token, or with us. Errors of Verify are one of these around a cause, which is for the log only.
var (
	ErrInvalid     = errors.New("invalid token")                   // malformed, or its algorithm, key, signature, issuer or audience are not what they should be
	ErrExpired     = errors.New("token expired or not valid yet")  // by exp, nbf or iat
	ErrUnavailable = errors.New("the keys cannot be had just now") // they were never there: a set that was once fetched is kept
)

// Options are what a key set is made of. Exactly one of Secrets, PEM, JWKS and URL is given.
type Options struct {
	Name string // for the log

	Secrets [][]byte // for HMAC
	PEM     [][]byte // public keys or certificates
	JWKS    []byte   // a key set (RFC 7517) as JSON
	URL     string   // of a key set, fetched in the background

	Refresh time.Duration // how often URL is asked when its answer does not say; default 15 min

	Algorithms []string // that tokens may be signed with; required
	Issuers    []string // one of them must be the token's; empty: any
	Audiences  []string // one of them must be among the token's; empty: any

	Leeway      time.Duration // by which clocks may differ
	NeedsExpiry bool          // a token without exp is invalid

	Client *http.Client // for URL; nil: one with a timeout
	Log    *slog.Logger // nil: the default one
}

// Keys verifies tokens. It may be used by many goroutines.
type Keys struct {
	issuers   []string
	parser    *jwt.Parser
	keys      atomic.Pointer[keySet]
	remote    *remote // nil if there is no URL
	seen      cache
	lastHead  atomic.Pointer[string] // the head of the token verified last: most of an issuer's have the same
	now       func() time.Time
	leeway    time.Duration
	algorithm []string
}

// New makes a key set. One with a URL is fetched in the background: Close ends that.
func New(o Options) (*Keys, error) {
	k := &Keys{issuers: o.Issuers, now: time.Now, leeway: o.Leeway, algorithm: o.Algorithms}
	if err := checkAlgorithms(o.Algorithms); err != nil {
		return nil, err
	}
	k.parser = k.newParser(o)
	if o.URL != "" {
		k.remote = newRemote(o, func(set *keySet) {
			k.keys.Store(set)
			k.seen.clear()
		})
		return k, nil
	}
	set, err := localKeys(o)
	if err != nil {
		return nil, err
	}
	if len(set.keys) == 0 {
		return nil, errors.New("holds no key that can be used")
	}
	k.keys.Store(set)
	return k, nil
}

func (k *Keys) newParser(o Options) *jwt.Parser {
	options := []jwt.ParserOption{
		jwt.WithValidMethods(o.Algorithms),
		jwt.WithLeeway(o.Leeway),
		jwt.WithIssuedAt(),
		jwt.WithStrictDecoding(),
		jwt.WithTimeFunc(func() time.Time { return k.now() }),
	}
	if len(o.Audiences) > 0 {
		options = append(options, jwt.WithAudience(o.Audiences...))
	}
	if o.NeedsExpiry {
		options = append(options, jwt.WithExpirationRequired())
	}
	return jwt.NewParser(options...)
}

// Close ends what goes on in the background. It may be called more than once.
func (k *Keys) Close() {
	if k.remote != nil {
		k.remote.close()
	}
}

// Verify returns the claims of a token as the JSON that was signed. A key that is not known may be waited for, until ctx ends.
func (k *Keys) Verify(ctx context.Context, token string) (claims string, err error) {
	if len(token) > MaxToken {
		return "", fmt.Errorf("%w: longer than %d bytes", ErrInvalid, MaxToken)
	}
	now := k.now()
	if claims, ok := k.seen.get(token, now); ok {
		return claims, nil
	}
	if err := k.checkHead(token); err != nil {
		return "", err
	}
	before := k.keys.Load()
	parsed, until, err := k.parse(ctx, token)
	if err != nil {
		return "", err
	}
	k.seen.put(token, parsed, until, now)
	if k.keys.Load() != before {
		k.seen.clear() // the keys changed meanwhile: who knows which have vouched for it
	}
	return parsed, nil
}

// parse verifies a token and returns its claims, and until when they hold.
func (k *Keys) parse(ctx context.Context, token string) (claims string, until time.Time, err error) {
	var registered jwt.RegisteredClaims
	_, err = k.parser.ParseWithClaims(token, &registered, func(t *jwt.Token) (any, error) {
		return k.candidates(ctx, t)
	})
	switch {
	case errors.Is(err, ErrUnavailable):
		return "", until, err
	case errors.Is(err, jwt.ErrTokenExpired), errors.Is(err, jwt.ErrTokenNotValidYet), errors.Is(err, jwt.ErrTokenUsedBeforeIssued):
		return "", until, fmt.Errorf("%w: %w", ErrExpired, err)
	case err != nil:
		return "", until, fmt.Errorf("%w: %w", ErrInvalid, err)
	case len(k.issuers) > 0 && !slices.Contains(k.issuers, registered.Issuer):
		return "", until, fmt.Errorf("%w: issuer %q is not expected", ErrInvalid, registered.Issuer)
	}
	if registered.ExpiresAt != nil {
		until = registered.ExpiresAt.Add(k.leeway)
	}
	_, rest, _ := strings.Cut(token, ".")
	payload, _, _ := strings.Cut(rest, ".")
	text, err := base64.RawURLEncoding.Strict().DecodeString(payload)
	if err != nil {
		return "", until, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return string(text), until, nil
}

// candidates returns the keys that may have signed a token.
func (k *Keys) candidates(ctx context.Context, t *jwt.Token) (any, error) {
	kid, _ := t.Header["kid"].(string)
	t.Method = exact(t.Method)
	set := k.keys.Load()
	var found []jwt.VerificationKey
	if set != nil {
		found = set.find(kid, t.Method.Alg())
	}
	if len(found) == 0 && k.remote != nil && k.remote.await(ctx) {
		if set = k.keys.Load(); set != nil {
			found = set.find(kid, t.Method.Alg())
		}
	}
	switch {
	case set == nil:
		return nil, ErrUnavailable
	case len(found) == 0:
		return nil, fmt.Errorf("no key %q for %s", kid, t.Method.Alg())
	}
	return jwt.VerificationKeySet{Keys: found}, nil
}

// exact returns the method with the salt that RFC 7518, section 3.5, asks for in PS256 and its like: as long as the hash. The library's
// own takes a salt of any length.
func exact(method jwt.SigningMethod) jwt.SigningMethod {
	if pss, ok := method.(*jwt.SigningMethodRSAPSS); ok {
		return &jwt.SigningMethodRSAPSS{SigningMethodRSA: pss.SigningMethodRSA, Options: pss.Options}
	}
	return method
}

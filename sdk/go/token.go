package sallyport

import (
	"errors"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// ErrExpired is what VerifyJWT says of a token that is genuine, but has expired or is not valid yet.
var ErrExpired = errors.New("expired or not valid yet")

// claims receives what VerifyJWT returns.
var claims = make([]byte, 1024)

// VerifyJWT checks a token against the keys of [jwt.NAME] in gateway.toml, by the grant "jwt:NAME", and returns its claims: a JSON object, valid
// until the hook returns or VerifyJWT is called again. Beside signature and times, the gateway checks what that table says; who the token is for
// and what it allows is the plugin's to look at. ErrInvalid for what is no token, or signed by somebody else; ErrExpired; ErrUnavailable when
// the keys cannot be had; ErrNotGranted. Request and response hooks only.
func VerifyJWT(keys, token string) ([]byte, error) {
	n := host.JWTVerify(keys, token, claims)
	if int(n) > len(claims) {
		claims = make([]byte, n)
		n = host.JWTVerify(keys, token, claims)
	}
	switch {
	case ErrorCode(n) == ErrTimedOut:
		return nil, ErrExpired
	case n < 0:
		return nil, ErrorCode(n)
	}
	return claims[:n:n], nil
}

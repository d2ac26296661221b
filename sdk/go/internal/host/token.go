//go:build !wasm && !tinygo.wasm

package host

import "slices"

const (
	timedOut    = -6
	unavailable = -7
	maxToken    = 8 << 10
)

// KeySet is what tokens are checked against. Those that it does not name are invalid.
type KeySet struct {
	Valid   map[string]string // a token's claims in JSON, by the token
	Expired []string          // tokens that have expired, or are not valid yet
	Down    bool              // the keys cannot be had
}

// JWTVerify is the host function jwt_verify.
func JWTVerify(keys, token string, buf []byte) int32 {
	set := world().Keys[keys]
	switch {
	case !inHead():
		return wrongPhase
	case len(keys) > maxName || len(token) > maxToken:
		return tooLarge
	case set == nil:
		return notGranted
	case set.Down:
		return unavailable
	case slices.Contains(set.Expired, token):
		return timedOut
	}
	claims, ok := set.Valid[token]
	if !ok {
		return invalid
	}
	return read(claims, buf)
}

package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// jwk is one key of a set as published (RFC 7517).
type jwk struct {
	Type       string   `json:"kty"`
	ID         string   `json:"kid"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	Curve      string   `json:"crv"`
	X          string   `json:"x"`
	Y          string   `json:"y"`
	N          string   `json:"n"`
	E          string   `json:"e"`
	K          string   `json:"k"`
}

// parseJWKS reads a key set. Keys that are for something else, or of a kind that is not known, are left out, as RFC 7517, section 5, says.
func parseJWKS(text []byte) (*keySet, error) {
	var published struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(text, &published); err != nil {
		return nil, fmt.Errorf("no key set: %w", err)
	}
	set := &keySet{}
	var wrong []error
	for i, raw := range published.Keys {
		var k jwk
		err := json.Unmarshal(raw, &k)
		if err == nil && !k.verifies() {
			continue
		}
		var material any
		if err == nil {
			material, err = k.material()
		}
		if err == nil && k.Algorithm != "" && (algorithms[k.Algorithm] == nil || !algorithms[k.Algorithm](material)) {
			err = fmt.Errorf("algorithm %q does not fit", k.Algorithm)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("key %d: %w", i, err))
			continue
		}
		set.keys = append(set.keys, key{id: k.ID, algorithm: k.Algorithm, material: material})
	}
	if len(set.keys) == 0 {
		return nil, errors.Join(append([]error{errors.New("no key in the set can be used")}, wrong...)...)
	}
	return set, nil
}

// verifies reports whether a key is meant to verify signatures.
func (k *jwk) verifies() bool {
	return (k.Use == "" || k.Use == "sig") && (len(k.Operations) == 0 || slices.Contains(k.Operations, "verify"))
}

func (k *jwk) material() (material any, err error) {
	switch k.Type {
	case "RSA":
		material, err = k.rsa()
	case "EC":
		material, err = k.ecdsa()
	case "OKP":
		material, err = k.ed25519()
	case "oct":
		material, err = decode(k.K)
	default:
		return nil, fmt.Errorf("type %q is not supported", k.Type)
	}
	if err != nil {
		return nil, err
	}
	return material, checkKey(material)
}

func (k *jwk) rsa() (any, error) {
	n, err := decode(k.N)
	if err != nil {
		return nil, err
	}
	e, err := decode(k.E)
	if err != nil {
		return nil, err
	}
	exponent := new(big.Int).SetBytes(e)
	if exponent.BitLen() > 31 {
		return nil, errors.New("the exponent is too large")
	}
	return &rsa.PublicKey{N: new(big.Int).SetBytes(n), E: int(exponent.Int64())}, nil
}

func (k *jwk) ecdsa() (any, error) {
	curve := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-384": elliptic.P384(), "P-521": elliptic.P521()}[k.Curve]
	if curve == nil {
		return nil, fmt.Errorf("curve %q is not supported", k.Curve)
	}
	x, err := decode(k.X)
	if err != nil {
		return nil, err
	}
	y, err := decode(k.Y)
	if err != nil {
		return nil, err
	}
	size := (curve.Params().BitSize + 7) / 8
	if len(x) != size || len(y) != size {
		return nil, errors.New("coordinates have the wrong length")
	}
	return ecdsa.ParseUncompressedPublicKey(curve, slices.Concat([]byte{4}, x, y))
}

func (k *jwk) ed25519() (any, error) {
	x, err := decode(k.X)
	if err != nil {
		return nil, err
	}
	if k.Curve != "Ed25519" || len(x) != ed25519.PublicKeySize {
		return nil, fmt.Errorf("curve %q with %d bytes is not supported", k.Curve, len(x))
	}
	return ed25519.PublicKey(x), nil
}

func decode(s string) ([]byte, error) {
	b, err := base64.RawURLEncoding.DecodeString(s)
	if err == nil && len(b) == 0 {
		err = errors.New("a member is missing")
	}
	return b, err
}

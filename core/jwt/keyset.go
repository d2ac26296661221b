package jwt

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// minRSA is the least size of an RSA key, in bits (RFC 7518, section 3.3).
const minRSA = 2048

// algorithms are those that tokens may be signed with, each with the check whether a key is of its kind: an HMAC key is never taken
// for a public one, nor the other way round.
var algorithms = map[string]func(key any) bool{
	"HS256": isSecret, "HS384": isSecret, "HS512": isSecret,
	"RS256": isRSA, "RS384": isRSA, "RS512": isRSA,
	"PS256": isRSA, "PS384": isRSA, "PS512": isRSA,
	"ES256": isCurve(elliptic.P256()), "ES384": isCurve(elliptic.P384()), "ES512": isCurve(elliptic.P521()),
	"EdDSA": func(key any) bool { _, ok := key.(ed25519.PublicKey); return ok },
}

func isSecret(key any) bool { _, ok := key.([]byte); return ok }

func isRSA(key any) bool { _, ok := key.(*rsa.PublicKey); return ok }

func isCurve(curve elliptic.Curve) func(any) bool {
	return func(key any) bool {
		public, ok := key.(*ecdsa.PublicKey)
		return ok && public.Curve == curve
	}
}

func checkAlgorithms(names []string) error {
	if len(names) == 0 {
		return errors.New("no algorithm is allowed")
	}
	for _, name := range names {
		if algorithms[name] == nil {
			return fmt.Errorf("algorithm %q is not known", name)
		}
	}
	return nil
}

// key is one key of a set.
type key struct {
	id        string // "" if it has none
	algorithm string // "" if it may be used with any of its kind
	material  any    // []byte, *rsa.PublicKey, *ecdsa.PublicKey, ed25519.PublicKey
}

// keySet is immutable.
type keySet struct {
	keys []key
}

// find returns the keys for a token's kid and alg. A token without kid may be signed by any; keys without one by any token's.
func (s *keySet) find(id, algorithm string) []jwt.VerificationKey {
	fits := algorithms[algorithm]
	var found []jwt.VerificationKey
	for _, k := range s.keys {
		if (id == "" || k.id == "" || k.id == id) && (k.algorithm == "" || k.algorithm == algorithm) && fits != nil && fits(k.material) {
			found = append(found, k.material)
		}
	}
	return found
}

// localKeys reads what Options hold themselves.
func localKeys(o Options) (*keySet, error) {
	if o.JWKS != nil {
		return parseJWKS(o.JWKS)
	}
	set := &keySet{}
	for _, secret := range o.Secrets {
		if len(secret) < minSecret(o.Algorithms) {
			return nil, fmt.Errorf("a secret of %d bytes is too short for %s: %d at least", len(secret), strings.Join(o.Algorithms, ", "), minSecret(o.Algorithms))
		}
		set.keys = append(set.keys, key{material: secret})
	}
	for _, text := range o.PEM {
		material, err := parsePEM(text)
		if err != nil {
			return nil, err
		}
		set.keys = append(set.keys, key{material: material})
	}
	return set, nil
}

// minSecret is the least length of an HMAC key: that of the hash (RFC 7518, section 3.2).
func minSecret(names []string) int {
	least := 0
	for name, bytes := range map[string]int{"HS256": 32, "HS384": 48, "HS512": 64} {
		for _, allowed := range names {
			if allowed == name {
				least = max(least, bytes)
			}
		}
	}
	return least
}

// parsePEM reads a public key, or that of a certificate.
func parsePEM(text []byte) (any, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("holds no PEM block")
	}
	var material any
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		material, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		material, err = x509.ParsePKCS1PublicKey(block.Bytes)
	case "CERTIFICATE":
		var cert *x509.Certificate
		if cert, err = x509.ParseCertificate(block.Bytes); err == nil {
			material = cert.PublicKey
		}
	default:
		return nil, fmt.Errorf("holds a PEM block of type %q: a public key or certificate is needed", block.Type)
	}
	if err != nil {
		return nil, err
	}
	return material, checkKey(material)
}

// checkKey refuses keys that are too weak, or of no use here.
func checkKey(material any) error {
	switch k := material.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() < minRSA {
			return fmt.Errorf("an RSA key of %d bits is too short: %d at least", k.N.BitLen(), minRSA)
		}
		if k.E < 3 || k.E%2 == 0 {
			return fmt.Errorf("an RSA key's exponent cannot be %d", k.E)
		}
		return nil
	case *ecdsa.PublicKey, ed25519.PublicKey, []byte:
		return nil
	}
	return fmt.Errorf("keys of type %T are not supported", material)
}

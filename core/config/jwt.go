package config

import (
	"net/url"
	"strings"
	"time"
)

// algorithms are those that tokens may be signed with (RFC 7518, RFC 8037).
var algorithms = []string{
	"HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
}

func readJWT(v value, _ string) JWT {
	j := JWT{Leeway: time.Minute, Refresh: 15 * time.Minute, RequireExp: true}
	jwtKeys().read(v, &j)
	if !v.holdsKeys() {
		return j
	}
	if v.exclude("secrets", "public_keys", "jwks", "jwks_url") == 0 {
		v.fail("needs one of secrets, public_keys, jwks and jwks_url")
	}
	if v.has("refresh") && !v.has("jwks_url") {
		v.child("refresh").fail("only goes with jwks_url")
	}
	v.checkAlgorithms(&j)
	return j
}

// checkAlgorithms fills in the usual ones, and refuses to mix secrets with public keys: whoever knows one of the latter could sign.
func (v value) checkAlgorithms(j *JWT) {
	if j.Algorithms == nil && !v.has("algorithms") {
		j.Algorithms = []string{"RS256", "ES256", "EdDSA"}
		if v.has("secrets") {
			j.Algorithms = []string{"HS256"}
		}
		return
	}
	for _, name := range j.Algorithms {
		if isHMAC := strings.HasPrefix(name, "HS"); isHMAC != v.has("secrets") && !v.has("jwks") && !v.has("jwks_url") {
			v.child("algorithms").fail("%s does not go with this kind of key", name)
		}
	}
}

func jwtKeys() keys[JWT] {
	return keys[JWT]{
		{"secrets", func(v value, j *JWT) { readSecrets(v, func(s string) { j.Secrets = append(j.Secrets, Secret{&s}) }) }},
		{"public_keys", func(v value, j *JWT) { readSecrets(v, func(s string) { j.PublicKeys = append(j.PublicKeys, s) }) }},
		{"jwks", func(v value, j *JWT) { readJWKS(v, j) }},
		{"jwks_url", func(v value, j *JWT) { readKeySetURL(v, &j.JWKSURL) }},
		{"refresh", func(v value, j *JWT) { v.duration(&j.Refresh, time.Minute, longest) }},
		{"algorithms", func(v value, j *JWT) { readAlgorithms(v, &j.Algorithms) }},
		{"issuers", func(v value, j *JWT) { readTexts(v, &j.Issuers, `issuers such as "https://login.example.com/"`) }},
		{"audiences", func(v value, j *JWT) { readTexts(v, &j.Audiences, `audiences such as "orders"`) }},
		{"leeway", func(v value, j *JWT) { v.duration(&j.Leeway, 0, 5*time.Minute) }},
		{"require_exp", func(v value, j *JWT) { v.boolean(&j.RequireExp) }},
	}
}

func readJWKS(v value, j *JWT) {
	v.r.config.secrets[v.key] = true
	if s, ok := v.secretText("a JSON Web Key Set"); ok {
		j.JWKS = Secret{&s}
	}
}

func readSecrets(v value, add func(string)) {
	const wanted = `texts, or of { env = "NAME" } or { file = "path" }`
	elements, ok := v.list(wanted)
	if ok && len(elements) == 0 {
		v.fail("must hold at least one")
	}
	for _, e := range elements {
		v.r.config.secrets[e.key] = true
		if s, ok := e.secretText("a key"); ok {
			add(s)
		}
	}
}

func readTexts(v value, dst *[]string, wanted string) {
	v.texts(dst, wanted, func(_ value, s string) (string, bool) { return s, true })
}

func readAlgorithms(v value, dst *[]string) {
	v.texts(dst, "algorithms such as "+quoted(algorithms[:1]), func(e value, s string) (string, bool) {
		for _, known := range algorithms {
			if s == known {
				return s, true
			}
		}
		e.fail("%q is not one of %s%s", s, quoted(algorithms), didYouMean(s, algorithms))
		return "", false
	})
}

// readKeySetURL takes http only for this machine: who can change the keys on their way can sign whatever they like.
func readKeySetURL(v value, dst *string) {
	s, ok := v.text(`a URL such as "https://login.example.com/jwks.json"`)
	if !ok {
		return
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.Fragment != "":
		v.fail("%q is no URL of a key set", s)
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		v.fail("must be https: who changes the keys on their way can sign any token")
	case u.Scheme != "http" && u.Scheme != "https":
		v.fail("must begin with https://")
	default:
		*dst = s
	}
}

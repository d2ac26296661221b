package gateway

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"time"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/jwt"
	"github.com/sallyport/sallyport/core/plugin"
)

// keyPatience is how long a token may wait for its issuer's keys. The plugin's instance waits with it.
const keyPatience = time.Second

// keySet lets plugins have tokens verified.
type keySet struct {
	keys *jwt.Keys
}

// Verify is part of plugin.KeySet.
func (k keySet) Verify(token string) (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), keyPatience)
	defer cancel()
	claims, err := k.keys.Verify(ctx, token)
	switch {
	case errors.Is(err, jwt.ErrInvalid):
		return "", fmt.Errorf("%w: %w", plugin.ErrTokenInvalid, err)
	case errors.Is(err, jwt.ErrExpired):
		return "", fmt.Errorf("%w: %w", plugin.ErrTokenExpired, err)
	}
	return claims, err
}

// takeKeys finds or makes the key set of a jwt table; nil if it cannot be, and then why is noted.
func (b *builder) takeKeys(name string) *jwt.Keys {
	c := b.cfg.JWT[name]
	made := struct {
		config.JWT
		Sum [sha256.Size]byte // of what the table does not show
	}{c, sumOf(c)}
	keys, release, err := b.g.keys.take(shelfKey("jwt", name, made), func() (*jwt.Keys, error) {
		return jwt.New(b.keyOptions(name, c))
	}, (*jwt.Keys).Close)
	if err != nil {
		b.fault("jwt."+name, "%v", err)
		return nil
	}
	b.s.releases = append(b.s.releases, release)
	return keys
}

func (b *builder) keyOptions(name string, c config.JWT) jwt.Options {
	o := jwt.Options{
		Name: name, URL: c.JWKSURL, Refresh: c.Refresh, Algorithms: c.Algorithms, Issuers: c.Issuers, Audiences: c.Audiences,
		Leeway: c.Leeway, NeedsExpiry: c.RequireExp, Log: b.g.log,
	}
	for _, secret := range c.Secrets {
		o.Secrets = append(o.Secrets, []byte(secret.Reveal()))
	}
	for _, key := range c.PublicKeys {
		o.PEM = append(o.PEM, []byte(key))
	}
	if set := c.JWKS.Reveal(); set != "" {
		o.JWKS = []byte(set)
	}
	return o
}

// sumOf changes with the secrets, and does not tell them.
func sumOf(c config.JWT) [sha256.Size]byte {
	h := sha256.New()
	for _, secret := range append(c.Secrets[:len(c.Secrets):len(c.Secrets)], c.JWKS) {
		one := sha256.Sum256([]byte(secret.Reveal()))
		h.Write(one[:])
	}
	return [sha256.Size]byte(h.Sum(nil))
}

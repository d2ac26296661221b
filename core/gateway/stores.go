package gateway

import (
	"crypto/sha256"
	"crypto/tls"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/store"
)

// sharedStore is a store of the config, as built.
type sharedStore struct {
	redis    *store.Redis
	gateways int
	key      string // another one for another store
}

// buildStores finds unchanged stores again, with their connections; new ones have none yet.
func (b *builder) buildStores() {
	b.s.stores, b.s.limits = map[string]sharedStore{}, map[string]*counts{}
	for name, c := range b.cfg.Stores {
		secure, files, ok := b.storeTLS("stores."+name+".redis.tls", c.Redis.TLS)
		if !ok {
			continue
		}
		key := shelfKey("store", name, []any{c.Redis, files, sha256.Sum256([]byte(c.Redis.Username.Reveal() + "\x00" + c.Redis.Password.Reveal()))})
		redis, release, _ := b.g.shared.take(key, func() (*store.Redis, error) {
			return store.NewRedis(b.redisOptions(name, c.Redis, secure)), nil
		}, (*store.Redis).Close)
		b.s.releases = append(b.s.releases, release)
		b.s.stores[name] = sharedStore{redis, c.Gateways, key}
	}
}

func (b *builder) redisOptions(name string, c config.Redis, secure *tls.Config) store.RedisOptions {
	log := b.g.log
	return store.RedisOptions{
		Addresses: c.Addresses, Username: c.Username.Reveal(), Password: c.Password.Reveal(), TLS: secure, DB: c.DB,
		Prefix: c.Prefix, Timeout: c.Timeout, Keep: c.Keep,
		Changed: func(err error) {
			if err != nil {
				log.Warn("a store keeps failing and is left alone for now", "store", name, "error", err.Error())
				return
			}
			log.Info("a store is back", "store", name)
		},
	}
}

// storeTLS reads the files of a store's tls table, as upstreamTLS does.
func (b *builder) storeTLS(key string, c *config.UpstreamTLS) (o *tls.Config, files [][sha256.Size]byte, ok bool) {
	return b.clientTLS("store", key, c)
}

// clientTLS reads the files of the tls table of something that we are a client of.
func (b *builder) clientTLS(of, key string, c *config.UpstreamTLS) (o *tls.Config, files [][sha256.Size]byte, ok bool) {
	if c == nil {
		return nil, nil, true
	}
	l := tlsLoader{b: b, key: key, ok: true}
	o = &tls.Config{ServerName: c.ServerName, MinVersion: minVersion(c.MinVersion), InsecureSkipVerify: c.Insecure}
	if c.CA != "" {
		o.RootCAs = l.roots(c.CA)
	}
	if c.Cert != "" {
		o.Certificates = l.pair(c.Cert, c.Key)
	}
	if c.Insecure && l.ok {
		b.g.log.Warn("INSECURE: the certificates of a "+of+" are not verified, anyone on the way can read and change what is sent", of, key)
	}
	return o, l.files, l.ok
}

// StoreStatus is a picture of one shared store.
type StoreStatus struct {
	Addresses []string `json:"addresses"`
	Open      bool     `json:"open"` // it keeps failing, and is left alone for a while
	Calls     int64    `json:"calls"`
	Failures  int64    `json:"failures"`
	Timeouts  int64    `json:"timeouts"` // of the failures
	Refused   int64    `json:"refused"`  // calls not made, since it was open
}

// LimitStatus is a picture of one limit. Allowed and denied are decisions, each of which can be on several units.
type LimitStatus struct {
	Algorithm   string `json:"algorithm"`
	Store       string `json:"store,omitempty"`
	DryRun      bool   `json:"dry_run,omitempty"`
	Allowed     int64  `json:"allowed"`
	Denied      int64  `json:"denied"`
	WouldDeny   int64  `json:"would_deny,omitempty"`
	StoreErrors int64  `json:"store_errors,omitempty"`
	NeverTold   int64  `json:"never_told,omitempty"` // units that the store has not heard of, or perhaps not: they were for too many keys, or it hung while it was told
}

// addLimits tells of limits and stores.
func (s *Snapshot) addLimits(status *Status) {
	status.Stores, status.Limits = map[string]StoreStatus{}, map[string]LimitStatus{}
	for name, shared := range s.stores {
		n := shared.redis.Stats()
		status.Stores[name] = StoreStatus{s.Config.Stores[name].Redis.Addresses, n.Open, n.Calls, n.Failures, n.Timeouts, n.Refused}
	}
	for name, c := range s.limits {
		status.Limits[name] = c.status()
	}
}

func (c *counts) status() LimitStatus {
	n := c.tally.Counts()
	l := LimitStatus{
		Algorithm: c.config.Algorithm, Store: c.config.Store, DryRun: c.config.DryRun,
		Allowed: n.Allowed, Denied: n.Denied, WouldDeny: n.Dry, StoreErrors: n.StoreErrors,
	}
	if c.batch != nil {
		l.NeverTold = c.batch.Lost()
	}
	return l
}

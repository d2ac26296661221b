package sallyport

import (
	"time"

	"github.com/sallyport/sallyport/sdk/go/internal/host"
)

// Granted reports whether the plugin has a grant, written as in gateway.toml: "kv", "jwt:staff". Ask for what the configuration names while the plugin
// is configured, and return an error that says so: else a grant that is missing shows at the first request. It can be called at any time.
func Granted(grant string) bool { return host.Granted(grant) == 1 }

// Secret returns a secret of gateway.toml, by the grant "secret:NAME"; ErrNotGranted without it. It can be called at any time, also while the
// plugin is configured. Do not log it.
func Secret(name string) (string, error) {
	n := host.Secret(name, scratch)
	for outgrown(n) {
		n = host.Secret(name, scratch)
	}
	value, _ := held(n)
	return string(value), failure(n)
}

// Take takes n units for key from a limit of gateway.toml, by the grant "limit:NAME". It returns 0 if they were taken; else nothing was,
// and wait is how long from now they may be had. ErrTooLarge if the limit never allows so many at once. Request and response hooks only.
func Take(limit, key string, n uint32) (wait time.Duration, err error) {
	ms := host.RateTake(limit, key, n)
	if ms < 0 {
		return 0, failure(ms)
	}
	return time.Duration(ms) * time.Millisecond, nil
}

package plugin

import (
	"fmt"
	"strings"
)

// ConfigError is a plugin's refusal of its configuration, in its own words.
type ConfigError struct {
	Pointer string // JSON pointer (RFC 6901) to what is wrong; "" for the whole
	Message string
}

// Error returns the pointer and the message.
func (e *ConfigError) Error() string {
	if e.Pointer == "" {
		return e.Message
	}
	return e.Pointer + ": " + e.Message
}

// refusal makes an error of what the plugin told with fail: a text that begins with a slash begins with a pointer.
func refusal(reason string, code int32) *ConfigError {
	reason = strings.ToValidUTF8(strings.TrimSpace(reason), "\uFFFD")
	if reason == "" {
		return &ConfigError{Message: fmt.Sprintf("the plugin refused its configuration (%d) without saying why", code)}
	}
	if reason[0] != '/' {
		return &ConfigError{Message: reason}
	}
	pointer, message, _ := strings.Cut(reason, " ")
	message = strings.TrimSpace(message)
	if message == "" {
		message = "refused by the plugin"
	}
	return &ConfigError{Pointer: strings.TrimSuffix(pointer, ":"), Message: message}
}

// Configure makes a pool of instances with one configuration, a JSON object (nil for an empty one), and with grants, whose parts
// must be of use until the pool is closed. It starts one instance as a canary: an error tells why it does not run, and is a *ConfigError inside when the plugin refused. That one
// instance may be above MaxInstances for the moment.
func (p *Plugin) Configure(config []byte, g Grants) (*Pool, error) {
	pool := newPool(p, config, g)
	if !p.fleet.enter(pool) {
		return nil, fmt.Errorf("plugin %s: %w", p.name, errClosed)
	}
	canary, err := startInstance(pool)
	if err != nil {
		p.fleet.release(pool)
		pool.Close()
		return nil, fmt.Errorf("plugin %s: %w", p.name, err)
	}
	pool.wants, pool.level = canary.wants, canary.level
	p.fleet.mu.Lock()
	pool.shelve(canary, false)
	return pool, nil
}

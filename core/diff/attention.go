package diff

import (
	"net"
	"net/netip"
	"slices"
	"strings"

	"github.com/sallyport/sallyport/core/config"
)

// look notes what a reviewer should not overlook.
func (c *Change) look(old, now *config.Setting) {
	if c.Kind != Removed || c.Part == "filters" {
		c.lookAtChain(old.Child("filters"), now.Child("filters"))
	}
	switch {
	case c.Kind == Removed && c.Part != "admin":
		return
	case c.Part == "plugin":
		c.lookAtPlugin(old, now)
	case c.Part == "admin":
		c.lookAtAdmin(old, now)
	}
	for _, name := range []string{"tls", "redis.tls"} {
		c.lookAtTLS(reach(old, name), reach(now, name))
	}
}

func (c *Change) attend(text string) { c.Attention = append(c.Attention, text) }

func reach(s *config.Setting, path string) *config.Setting {
	for name := range strings.SplitSeq(path, ".") {
		s = s.Child(name)
	}
	return s
}

func (c *Change) lookAtChain(old, now *config.Setting) {
	before, after := uses(old), uses(now)
	pairs := align(before, after)
	for i, use := range before {
		if !slices.ContainsFunc(pairs, func(p pair) bool { return p.old == i }) {
			c.attend("filter removed: " + use + " does not run any more")
		}
	}
	for i := range after {
		was := "deny"
		for _, p := range pairs {
			if p.now == i {
				was = text(old.Children[p.old].Child("on_error"))
			}
		}
		if is := text(now.Children[i].Child("on_error")); is == "skip" && was != "skip" {
			c.attend("on_error = \"skip\": requests pass when " + after[i] + " fails")
		}
	}
}

func (c *Change) lookAtPlugin(old, now *config.Setting) {
	for _, grant := range texts(now.Child("grants")) {
		if !slices.Contains(texts(old.Child("grants")), grant) {
			c.attend("grant added: " + grant)
		}
	}
	for _, name := range texts(old.Child("hidden_headers")) {
		if !slices.ContainsFunc(texts(now.Child("hidden_headers")), func(other string) bool { return strings.EqualFold(name, other) }) {
			c.attend("header no longer hidden: " + name)
		}
	}
	if old.Child("sha256") != nil && now.Child("sha256") == nil {
		c.attend("the file's SHA-256 is no longer checked")
	}
}

func (c *Change) lookAtAdmin(old, now *config.Setting) {
	for _, name := range []string{"token", "tls"} {
		if is := now.Child(name); !old.Child(name).Same(is) && old != nil {
			c.attend("who may use the admin interface: " + name + " has changed")
		}
	}
	if listen := text(now.Child("listen")); listen != "" && listen != text(old.Child("listen")) && !private(listen) {
		c.attend("the admin interface can be reached from elsewhere at " + listen)
	}
}

// private reports whether only this machine can reach an address.
func private(address string) bool {
	if strings.HasPrefix(address, "unix:") {
		return true
	}
	host, _, _ := net.SplitHostPort(address)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

func (c *Change) lookAtTLS(old, now *config.Setting) {
	if is := now.Child("insecure"); is != nil && is.Value == true && !is.Same(old.Child("insecure")) {
		c.attend("certificates are not verified any more (tls.insecure)")
	}
	if c.Part == "upstream" && old != nil && now == nil {
		c.attend("TLS is off")
	}
	if is, was := text(now.Child("client_auth")), text(old.Child("client_auth")); c.Part == "listener" && was == "require" && is != was {
		c.attend("client certificates are no longer required")
	}
}

func texts(list *config.Setting) (all []string) {
	if list != nil {
		for _, e := range list.Children {
			all = append(all, text(e))
		}
	}
	return all
}

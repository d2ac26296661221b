package http1

import "github.com/sallyport/sallyport/core/header"

// role is what a field's name means to a proxy.
type role uint8

const (
	endToEnd role = iota
	roleHost
	roleLength
	roleTransfer
	roleConnection
	roleTE
	roleUpgrade
	roleExpect
	roleDate // end-to-end
	roleHop  // of this connection only, and without an effect
)

// EndToEnd reports whether a proxy passes a field of that name on: it belongs neither to the connection nor to the framing.
func EndToEnd(name string) bool {
	r := roleOf(name)
	return r == endToEnd || r == roleDate
}

// roleOf returns what the field of that name means. It is asked for each field of each head, hence the switch by length.
func roleOf(name string) role {
	switch len(name) {
	case 2:
		return roleIf(name, "te", roleTE)
	case 4:
		if lower(name[0]) == 'd' {
			return roleIf(name, "date", roleDate)
		}
		return roleIf(name, "host", roleHost)
	case 5:
		return roleIf(name, "proxy", roleHop) // no standard field; CGI would turn it into HTTP_PROXY
	case 6:
		return roleIf(name, "expect", roleExpect)
	case 7:
		if lower(name[0]) == 't' {
			return roleIf(name, "trailer", roleHop)
		}
		return roleIf(name, "upgrade", roleUpgrade)
	case 10:
		if lower(name[0]) == 'k' {
			return roleIf(name, "keep-alive", roleHop)
		}
		return roleIf(name, "connection", roleConnection)
	case 14:
		if lower(name[0]) == 'h' {
			return roleIf(name, "http2-settings", roleHop)
		}
		return roleIf(name, "content-length", roleLength)
	case 17:
		return roleIf(name, "transfer-encoding", roleTransfer)
	case 16, 18, 19, 25:
		return roleOfProxy(name)
	}
	return endToEnd
}

// roleOfProxy knows proxy-connection, -authenticate, -authorization and -authentication-info.
func roleOfProxy(name string) role {
	if lower(name[0]) != 'p' || !header.EqualName(name[:6], "proxy-") {
		return endToEnd
	}
	switch rest := name[6:]; {
	case header.EqualName(rest, "connection"), header.EqualName(rest, "authenticate"),
		header.EqualName(rest, "authorization"), header.EqualName(rest, "authentication-info"):
		return roleHop
	}
	return endToEnd
}

func roleIf(name, want string, r role) role {
	if header.EqualName(name, want) {
		return r
	}
	return endToEnd
}

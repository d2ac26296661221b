package discover

import (
	"net/netip"
	"os"
	"strings"
)

// resolvConf is where the system says which DNS servers to ask.
const resolvConf = "/etc/resolv.conf"

// maxServers is how many of its servers are asked, as libc does.
const maxServers = 3

// systemServers returns the servers that a resolv.conf names, as it is now; without any it is this machine's, as with libc.
func systemServers(file string) ([]netip.AddrPort, error) {
	data, err := os.ReadFile(file)
	if err != nil && !os.IsNotExist(err) {
		return nil, err
	}
	var servers []netip.AddrPort
	for line := range strings.Lines(string(data)) {
		words := strings.Fields(line)
		if len(words) < 2 || words[0] != "nameserver" || len(servers) == maxServers {
			continue
		}
		if ip, err := netip.ParseAddr(words[1]); err == nil {
			servers = append(servers, netip.AddrPortFrom(ip, 53))
		}
	}
	if servers == nil {
		servers = []netip.AddrPort{netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), 53)}
	}
	return servers, nil
}

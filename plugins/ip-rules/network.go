package main

import (
	"encoding/binary"
	"errors"
	"net/netip"
	"strings"
)

// network is the addresses that have all bits in common but the last ones.
type network struct {
	first number
	free  int // how many bits differ within the network
	v4    bool
}

// number is an address as a number of 128 bits; an IPv4 address as ::ffff:0:0/96 has it.
type number struct {
	high, low uint64
}

func numberOf(addr netip.Addr) number {
	b := addr.As16()
	return number{binary.BigEndian.Uint64(b[:8]), binary.BigEndian.Uint64(b[8:])}
}

// last returns the network's last address.
func (n network) last() number {
	return number{n.first.high | ones(n.free-64), n.first.low | ones(n.free)}
}

// ones returns a number with its lowest n bits set: all of them from 64 on, none below 0.
func ones(n int) uint64 {
	if n <= 0 {
		return 0
	}
	return ^uint64(0) >> (64 - min(n, 64))
}

// readAddress reads a client's address as a network of its own. A zone is of no interest to rules.
func readAddress(text []byte) (network, error) {
	if n, ok := parseV4(text); ok && n.free == 0 {
		return n, nil
	}
	addr, err := netip.ParseAddr(string(text))
	return network{first: numberOf(addr), v4: addr.Unmap().Is4()}, err
}

// readNetwork reads an address, or a network in CIDR notation.
func readNetwork(text string) (network, error) {
	n, ok := parseV4(text)
	if !ok {
		n, ok = parseAny(text)
	}
	if !ok {
		return n, errors.New("must be an IP address or a network such as 10.0.0.0/8 or 2001:db8::/32")
	}
	if n.first.high&ones(n.free-64) != 0 || n.first.low&ones(n.free) != 0 {
		return n, errors.New("has bits set beyond its length: 10.0.0.0/8 is a network, 10.0.0.1/8 is not")
	}
	return n, nil
}

// parseV4 does for IPv4 what parseAny does, at a tenth of the work: lists can be long.
func parseV4[T string | []byte](text T) (n network, ok bool) {
	address := uint64(0xffff)
	for i := range 4 {
		octet, rest, ok := decimal(text, 255)
		address = address<<8 | octet
		if ok && i == 3 && len(rest) == 0 {
			return network{number{0, address}, 0, true}, true
		}
		if !ok || len(rest) == 0 || rest[0] != ".../"[i] {
			return network{}, false
		}
		text = rest[1:]
	}
	bits, rest, ok := decimal(text, 32)
	return network{number{0, address}, 32 - int(bits), true}, ok && len(rest) == 0
}

// decimal reads a number of up to three digits, without leading zeros, and returns what follows it.
func decimal[T string | []byte](s T, most uint64) (n uint64, rest T, ok bool) {
	i := 0
	for i < min(len(s), 3) && '0' <= s[i] && s[i] <= '9' {
		n = n*10 + uint64(s[i]-'0')
		i++
	}
	return n, s[i:], i > 0 && n <= most && (i == 1 || s[0] != '0')
}

// parseAny takes IPv4 addresses written as IPv6 (::ffff:10.0.0.0/104) for what they are.
func parseAny(text string) (network, bool) {
	addr, bits := netip.Addr{}, 0
	if strings.IndexByte(text, '/') >= 0 {
		prefix, _ := netip.ParsePrefix(text)
		addr, bits = prefix.Addr(), prefix.Bits()
	} else {
		addr, _ = netip.ParseAddr(text)
		bits = addr.BitLen()
	}
	if !addr.IsValid() || addr.Zone() != "" {
		return network{}, false
	}
	free := addr.BitLen() - bits
	return network{numberOf(addr), free, addr.Unmap().Is4() && free <= 32}, true
}

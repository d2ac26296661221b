// Package free finds addresses that servers under test can listen on.
package free

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// Ports below those that systems give to connections by themselves: Linux begins with 32768. Among these nothing takes a port between
// its choice and the server's start but another test with the same luck, and no connection to it can meet itself.
const lowest, highest = 12000, 32000

// Address returns an address on loopback that nobody listens on, by TCP or UDP.
func Address(t testing.TB) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))
		if isFree(address) {
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

func isFree(address string) bool {
	l, err := net.Listen("tcp", address)
	if err != nil {
		return false
	}
	defer l.Close()
	p, err := net.ListenPacket("udp", address)
	if err != nil {
		return false
	}
	p.Close()
	return true
}

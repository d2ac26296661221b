package grpc

import (
	"math"
	"strconv"
	"time"
)

// maxTimeoutDigits is how many digits a Grpc-Timeout may have.
const maxTimeoutDigits = 8

// units are those of Grpc-Timeout, finest first.
var units = [...]struct {
	letter byte
	long   time.Duration
}{
	{'n', time.Nanosecond}, {'u', time.Microsecond}, {'m', time.Millisecond}, {'S', time.Second}, {'M', time.Minute}, {'H', time.Hour},
}

// ParseTimeout reads a Grpc-Timeout: up to eight digits and a unit (gRPC over HTTP/2, "Timeout"). What is longer than a Duration
// can be is the longest Duration.
func ParseTimeout(s string) (timeout time.Duration, ok bool) {
	digits := len(s) - 1
	if digits < 1 || digits > maxTimeoutDigits {
		return 0, false
	}
	n := int64(0)
	for i := 0; i < digits; i++ {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	for _, unit := range units {
		if unit.letter == s[digits] {
			if n > math.MaxInt64/int64(unit.long) {
				return math.MaxInt64, true
			}
			return time.Duration(n) * unit.long, true
		}
	}
	return 0, false
}

// AppendTimeout adds a timeout as Grpc-Timeout has it, in the finest unit that has room for it, rounded down: who is asked should not
// be at it for longer than is waited for. One that is over is written as 0n.
func AppendTimeout(b []byte, timeout time.Duration) []byte {
	timeout = max(timeout, 0)
	for _, unit := range units {
		if n := int64(timeout / unit.long); n < 1e8 {
			return append(strconv.AppendInt(b, n, 10), unit.letter)
		}
	}
	return b // never: the longest Duration has 2 562 047 hours
}

package metrics

import (
	"strconv"

	"github.com/sallyport/sallyport/core/fault"
)

// methods are those that count by name (RFC 9110, section 9.3, and RFC 5789); the last stands for all others, so that clients cannot
// make up series.
var methods = [...]string{"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE", "_OTHER"}

const otherMethod = uint8(len(methods) - 1)

func methodIndex(method string) uint8 {
	switch method {
	case "GET":
		return 0
	case "HEAD":
		return 1
	case "POST":
		return 2
	case "PUT":
		return 3
	case "PATCH":
		return 4
	case "DELETE":
		return 5
	case "OPTIONS":
		return 6
	case "CONNECT":
		return 7
	case "TRACE":
		return 8
	}
	return otherMethod
}

// statuses are those that count by number: IANA's and 499, which the gateway logs for a client that has gone. Another one counts as the x00
// of its class, which is what it means to who does not know it (RFC 9110, section 15). 0 is none at all.
var statuses = [...]uint16{
	0, 100, 101, 102, 103, 200, 201, 202, 203, 204, 205, 206, 207, 208, 226, 300, 301, 302, 303, 304, 305, 307, 308,
	400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 412, 413, 414, 415, 416, 417, 421, 422, 423, 424, 425, 426, 428, 429, 431, 451, 499,
	500, 501, 502, 503, 504, 505, 506, 507, 508, 510, 511,
}

// statusIndexes says for each status where it is in statuses.
var statusIndexes = indexStatuses()

func indexStatuses() (indexes [600]uint8) {
	places := map[uint16]uint8{}
	for i, status := range statuses {
		places[status] = uint8(i)
	}
	for status := 100; status < len(indexes); status++ {
		place, known := places[uint16(status)]
		if !known {
			place = places[uint16(status/100*100)]
		}
		indexes[status] = place
	}
	return indexes
}

func statusIndex(status int) uint8 {
	if status < 100 || status >= len(statusIndexes) {
		return 0
	}
	return statusIndexes[status]
}

// label is a series' method, scheme and outcome in one number.
type label uint32

// newLabel takes the outcome as an index of statuses, or, past their end, a fault's kind.
func newLabel(method, outcome uint8, secure bool) label {
	l := label(method)<<8 | label(outcome)
	if secure {
		l |= 1 << 16
	}
	return l
}

func failed(kind fault.Kind) uint8 { return uint8(len(statuses)) + uint8(kind) }

// coarse is what stands for l when there are too many series.
func (l label) coarse() label {
	outcome := uint8(l)
	if int(outcome) < len(statuses) {
		outcome = statusIndex(int(statuses[outcome]) / 100 * 100)
	}
	return newLabel(otherMethod, outcome, l>>16 != 0)
}

// Labels say what a series counts.
type Labels struct {
	Method string // "_OTHER" for unusual ones
	Secure bool   // over https
	Status int    // 0: none
	Error  string // the kind of fault of an exchange that got no answer; "" otherwise
}

func (l label) labels() Labels {
	labels := Labels{Method: methods[uint8(l>>8)], Secure: l>>16 != 0}
	if outcome := uint8(l); int(outcome) < len(statuses) {
		labels.Status = int(statuses[outcome])
	} else {
		labels.Error = fault.Kind(outcome - uint8(len(statuses))).String()
	}
	return labels
}

// Class returns "2xx" and its like, or "none".
func (l Labels) Class() string {
	if l.Status == 0 {
		return "none"
	}
	return strconv.Itoa(l.Status/100) + "xx"
}

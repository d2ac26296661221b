package telemetry

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sallyport/sallyport/core/exchange"
)

// line is a line of the access log in the making. One is used again and again, by whoever holds the log's lock.
type line struct {
	b     []byte
	x     *exchange.Exchange
	f     *Format
	share float64 // of such exchanges that get a line
	clock stamp
}

// stamp writes moments. It keeps the text of the last second: most lines share theirs with the line before.
type stamp struct {
	second int64
	layout string
	text   [32]byte
	n      int
}

func (s *stamp) append(b []byte, t time.Time, layout string) []byte {
	if second := t.Unix(); second != s.second || layout != s.layout {
		s.second, s.layout = second, layout
		s.n = len(t.UTC().AppendFormat(s.text[:0], layout))
	}
	return append(b, s.text[:s.n]...)
}

// text adds a string; what is empty is left out. key is `,"name":`.
func (l *line) text(key, value string) {
	if value == "" {
		return
	}
	l.b = append(l.b, key...)
	l.b = appendString(l.b, value)
}

// plain is text for what holds nothing that JSON would escape.
func (l *line) plain(key, value string) {
	if value == "" {
		return
	}
	l.b = append(append(l.b, key...), '"')
	l.b = append(append(l.b, value...), '"')
}

func (l *line) number(key string, value int64) {
	l.b = append(l.b, key...)
	l.b = strconv.AppendInt(l.b, value, 10)
}

// phase adds the microseconds from the exchange's start; a phase that was not reached is left out.
func (l *line) phase(key string, end time.Time) {
	if !end.IsZero() {
		l.number(key, end.Sub(l.x.Times.Start).Microseconds())
	}
}

// appendString adds a JSON string (RFC 8259); bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	return append(appendEscaped(append(b, '"'), s), '"')
}

const hexDigits = "0123456789abcdef"

// appendEscaped adds what stands between the quotes of a JSON string. What terminals obey is escaped, too: DEL and the controls U+0080 to
// U+009F, of which one begins sequences as ESC does.
func appendEscaped(b []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < 0x7f {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			switch {
			case r > 0x9f && (r != utf8.RuneError || size != 1):
				i += size
				continue
			case r <= 0x9f:
				b = append(append(b, s[start:i]...), '\\', 'u', '0', '0', hexDigits[r>>4], hexDigits[r&15])
				i++ // of two bytes
			default:
				b = append(append(b, s[start:i]...), `\ufffd`...)
			}
		} else {
			b = append(b, s[start:i]...)
			b = append(b, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
		i++
		start = i
	}
	return append(b, s[start:]...)
}

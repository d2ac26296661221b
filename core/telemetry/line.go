package telemetry

import (
	"strconv"
	"time"
	"unicode/utf8"

	"github.com/sallyport/sallyport/core/exchange"
)

// appendLine adds the access log's line of x: who, what, where to, how it went. Durations are microseconds; a phase that was
// not reached is left out.
func appendLine(b []byte, x *exchange.Exchange) []byte {
	b = append(b, `{"time":"`...)
	b = x.Times.Start.UTC().AppendFormat(b, "2006-01-02T15:04:05.000000Z")
	b = append(b, '"')
	b = appendText(b, "id", x.ID)
	b = appendTrace(b, &x.Trace)
	b = appendRequest(b, x)
	b = appendNumber(b, "status", int64(x.Resp.Status))
	b = appendGRPCStatus(b, x.GRPCStatus)
	b = appendText(b, "route", x.Route)
	b = appendText(b, "upstream", x.Upstream)
	b = appendText(b, "endpoint", x.Endpoint)
	b = appendNumber(b, "tries", int64(x.Tries))
	b = appendNumber(b, "received", x.Received)
	b = appendNumber(b, "sent", x.Sent)
	b = appendTimes(b, &x.Times)
	b = appendNumber(b, "generation", int64(x.Generation))
	b = appendFault(b, x)
	b = appendAttrs(b, x.Attrs())
	return append(b, "}\n"...)
}

func appendRequest(b []byte, x *exchange.Exchange) []byte {
	b = append(b, `,"client":"`...)
	b = x.Addr.AppendTo(b)
	b = append(b, `","peer":"`...)
	b = x.Peer.AppendTo(b)
	b = append(b, '"')
	b = appendText(b, "method", x.Req.Method)
	b = appendText(b, "scheme", x.Req.Scheme)
	b = appendText(b, "host", x.Req.Host)
	b = appendText(b, "path", x.Asked.Path)
	b = appendText(b, "query", x.Asked.Query)
	return appendText(b, "protocol", x.Req.Protocol.String())
}

// appendGRPCStatus leaves out what no number is: it is the upstream's word.
func appendGRPCStatus(b []byte, status string) []byte {
	if status == "" {
		return b
	}
	code, err := strconv.ParseUint(status, 10, 16)
	if err != nil {
		return b
	}
	return appendNumber(b, "grpc_status", int64(code))
}

func appendTimes(b []byte, t *exchange.Times) []byte {
	b = appendPhase(b, "chain_us", t.Start, t.Chain)
	b = appendPhase(b, "sent_us", t.Start, t.Sent)
	b = appendPhase(b, "answered_us", t.Start, t.Answered)
	return appendPhase(b, "total_us", t.Start, t.End)
}

func appendPhase(b []byte, name string, start, end time.Time) []byte {
	if end.IsZero() {
		return b
	}
	return appendNumber(b, name, end.Sub(start).Microseconds())
}

func appendFault(b []byte, x *exchange.Exchange) []byte {
	f := x.Fault
	if f == nil {
		return b
	}
	b = appendText(b, "fault", f.Kind.String())
	b = appendText(b, "blame", f.Side.String())
	b = appendText(b, "reason", f.Reason)
	if f.Err != nil {
		b = appendText(b, "cause", f.Err.Error())
	}
	return b
}

func appendAttrs(b []byte, attrs []exchange.Attr) []byte {
	if len(attrs) == 0 {
		return b
	}
	b = append(b, `,"attributes":{`...)
	for i, a := range attrs {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendString(b, a.Name)
		b = append(b, ':')
		b = appendString(b, a.Value)
	}
	return append(b, '}')
}

// appendText leaves out what is empty.
func appendText(b []byte, name, value string) []byte {
	if value == "" {
		return b
	}
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return appendString(b, value)
}

func appendNumber(b []byte, name string, value int64) []byte {
	b = append(b, `,"`...)
	b = append(b, name...)
	b = append(b, `":`...)
	return strconv.AppendInt(b, value, 10)
}

// appendString adds a JSON string (RFC 8259); bytes that are not UTF-8 become U+FFFD.
func appendString(b []byte, s string) []byte {
	const digits = "0123456789abcdef"
	b = append(b, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if c >= ' ' && c != '"' && c != '\\' && c < utf8.RuneSelf {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			r, size := utf8.DecodeRuneInString(s[i:])
			if r != utf8.RuneError || size != 1 {
				i += size
				continue
			}
			b = append(b, s[start:i]...)
			b = append(b, `\ufffd`...)
		} else {
			b = append(b, s[start:i]...)
			b = append(b, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		}
		i++
		start = i
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

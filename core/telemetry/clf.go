package telemetry

import "strconv"

// writeCLF adds a line in the Common Log Format, or the combined one: host, nobody, user, time, request line, status, bytes of content, and
// then referer and user agent. The user is the attribute "consumer".
func (l *line) writeCLF() {
	x := l.x
	b := append(x.Addr.AppendTo(l.b), " - "...)
	b = append(l.appendUser(b), " ["...)
	b = l.clock.append(b, x.Times.Start, "02/Jan/2006:15:04:05 -0700")
	b = append(b, `] "`...)
	b = l.appendRequestLine(b)
	b = append(b, `" `...)
	b = strconv.AppendInt(b, int64(x.Resp.Status), 10)
	b = append(b, ' ')
	if x.Sent > 0 {
		b = strconv.AppendInt(b, x.Sent, 10)
	} else {
		b = append(b, '-')
	}
	if l.f.combined {
		b = append(b, ` "`...)
		b = orDash(b, l.f.query.appendURL(b, x.Req.Fields.Value("Referer"), appendCLF))
		b = append(b, `" "`...)
		b = orDash(b, appendCLF(b, x.Req.Fields.Value("User-Agent")))
		b = append(b, '"')
	}
	l.b = append(b, '\n')
}

// orDash returns after, or before with a dash when nothing was added to it.
func orDash(before, after []byte) []byte {
	if len(after) == len(before) {
		return append(before, '-')
	}
	return after
}

// appendUser adds who the client is; spaces would look like the field's end.
func (l *line) appendUser(b []byte) []byte {
	user, ok := l.x.Attr("consumer")
	switch {
	case !ok || user == "":
		return append(b, '-')
	case l.f.attributes["consumer"]:
		return append(b, redacted...)
	}
	for i := range len(user) {
		if user[i] == ' ' {
			b = append(b, `\x20`...)
		} else {
			b = appendCLF(b, user[i:i+1])
		}
	}
	return b
}

// appendRequestLine adds the request line as it was read; what cannot be told of it is left out.
func (l *line) appendRequestLine(b []byte) []byte {
	x := l.x
	if x.Req.Method == "" && x.Asked.Path == "" {
		return append(b, '-')
	}
	b = append(orDash(b, appendCLF(b, x.Req.Method)), ' ')
	b = l.f.query.appendPath(b, shownPath(x.Asked.Path), appendCLF)
	if x.Asked.Query != "" {
		b = l.f.query.append(append(b, '?'), x.Asked.Query, appendCLF)
	}
	return append(append(b, ' '), x.Req.Protocol.String()...)
}

// appendCLF adds text as Apache does: quotes and backslashes behind a backslash, what is no printable ASCII as \xhh.
func appendCLF(b []byte, s string) []byte {
	for i := range len(s) {
		switch c := s[i]; {
		case c == '"' || c == '\\':
			b = append(b, '\\', c)
		case c < ' ' || c >= 0x7f:
			b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
		default:
			b = append(b, c)
		}
	}
	return b
}

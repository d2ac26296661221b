package filter

import (
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
)

// label makes the head speak of the coded content.
func label(x *exchange.Exchange, coding string) {
	fields := &x.Resp.Fields
	removeDigests(fields)
	fields.Remove("Content-Length")
	fields.Remove("Accept-Ranges") // ranges of the coded content cannot be had
	fields.Add("Content-Encoding", coding)
	weaken(x)
}

// removeDigests takes out what was computed over the content as it came (RFC 9530 and its forerunners).
func removeDigests(fields *header.Fields) {
	for _, name := range [...]string{"Content-Digest", "Repr-Digest", "Digest", "Content-MD5"} {
		fields.Remove(name)
	}
}

// weaken makes a strong ETag weak: the coded content is another sequence of bytes (RFC 9110, section 8.8.1).
func weaken(x *exchange.Exchange) {
	tag := x.Resp.Fields.Value("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		return
	}
	var room [128]byte
	x.Resp.Fields.Set("ETag", x.Text.Copy(append(append(room[:0], "W/"...), tag...)))
}

// weakenRevalidated gives a 304 the ETag that the client has: one weakened here, if it asks with that. A cache takes a strong one for
// another answer's (RFC 9111, section 4.3.4).
func weakenRevalidated(x *exchange.Exchange) {
	tag := x.Resp.Fields.Value("ETag")
	if tag == "" || strings.HasPrefix(tag, "W/") {
		return
	}
	for _, field := range x.Req.Fields.All() {
		if header.EqualName(field.Name, "If-None-Match") && strings.Contains(field.Value, tag) && !hasStrong(field.Value, tag) {
			addVary(&x.Resp.Fields)
			weaken(x)
			return
		}
	}
}

// hasStrong reports whether tag stands among the tags of an If-None-Match without "W/" before it.
func hasStrong(list, tag string) bool {
	for at := 0; ; {
		i := strings.Index(list[at:], tag)
		if i < 0 {
			return false
		}
		if !strings.HasSuffix(list[:at+i], "W/") {
			return true
		}
		at += i + len(tag)
	}
}

// addVary says that the answer depends on Accept-Encoding, unless it is said already.
func addVary(fields *header.Fields) {
	for _, field := range fields.All() {
		if header.EqualName(field.Name, "Vary") && (hasListed(field.Value, "Accept-Encoding") || hasListed(field.Value, "*")) {
			return
		}
	}
	fields.Add("Vary", "Accept-Encoding")
}

package http1_test

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/http1"
)

// net/http is the other reader: what we accept it must accept, and take for the same. We may be stricter, never laxer. Where
// the two differ all the same, for a reason, is said at the functions below whose names begin with "differs".

// message is what a reader has made of bytes.
type message struct {
	content  string
	whole    bool // its end was there
	refused  bool
	trailers []header.Field
}

// readContent reads what follows a head as our engines do.
func readContent(f http1.Framing, rest []byte) (m message) {
	switch {
	case f.Chunked:
		var d http1.Dechunker
		var trailers header.Fields
		dst := make([]byte, len(rest))
		n, _, done, err := d.Decode(dst, rest, &trailers)
		return message{string(dst[:n]), done, err != nil, trailers.All()}
	case f.UntilClose:
		return message{content: string(rest), whole: true}
	}
	n := min(int64(len(rest)), f.Length)
	return message{content: string(rest[:n]), whole: n == f.Length}
}

// compareContent holds what we make of a message's content against what net/http does.
func compareContent(t *testing.T, ours message, body io.Reader, trailer *http.Header) {
	t.Helper()
	if ours.refused {
		return
	}
	content, err := io.ReadAll(body)
	switch {
	case !ours.whole && err == nil:
		t.Errorf("net/http finds the content's end where we do not: %q, %q", content, ours.content)
	case ours.whole && err != nil && !differsInChunks(err):
		t.Errorf("net/http finds no end: %v", err)
	case ours.whole && err == nil && string(content) != ours.content:
		t.Errorf("content: got %q, want %q", ours.content, content)
	case ours.whole && err == nil:
		compareFields(t, ours.trailers, *trailer, nil)
	}
}

// differsInChunks: net/http refuses chunked content that is mostly not content, and measures lines; we bound the sum of all extensions
// and of all trailers.
func differsInChunks(err error) bool {
	return strings.Contains(err.Error(), "too much non-data") || strings.Contains(err.Error(), "line too long")
}

// differsInTrailer: net/http refuses a head whose Trailer names what may not be one; we take no notice of Trailer, and leave
// such fields out of the trailers themselves.
func differsInTrailer(err error) bool { return strings.Contains(err.Error(), "bad trailer key") }

// compareFields reports fields of ours that net/http does not have, and those of it that neither we have nor are to leave out.
func compareFields(t *testing.T, ours []header.Field, theirs http.Header, leftOut func(name string) bool) {
	t.Helper()
	folded := map[string][]string{}
	for _, f := range ours {
		name := textproto.CanonicalMIMEHeaderKey(f.Name)
		folded[name] = append(folded[name], f.Value)
	}
	for name, values := range folded {
		if !slices.Equal(values, theirs[name]) {
			t.Errorf("%s: got %q, want %q", name, values, theirs[name])
		}
	}
	for name, values := range theirs {
		if folded[name] == nil && leftOut != nil && !leftOut(name) {
			t.Errorf("%s: %q is missing", name, values)
		}
	}
}

// isHop tells the fields that a proxy acts on, or that its Connection names: they are not among those of the message.
// net/http itself may have taken Connection away.
func isHop(head []byte, h http.Header) func(name string) bool {
	options := ""
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if name, value, _ := strings.Cut(line, ":"); strings.EqualFold(name, "connection") {
			options += "," + value
		}
	}
	return func(name string) bool {
		switch name {
		case "Host", "Connection", "Keep-Alive", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length", "Expect", "Proxy", "Http2-Settings",
			"Proxy-Connection", "Proxy-Authenticate", "Proxy-Authorization", "Proxy-Authentication-Info":
			return true
		case "Cache-Control": // net/http makes one of Pragma: no-cache
			return len(h["Pragma"]) > 0 && h["Pragma"][0] == "no-cache"
		}
		for option := range strings.SplitSeq(options, ",") {
			if strings.EqualFold(strings.Trim(option, " \t"), name) {
				return true
			}
		}
		return false
	}
}

func FuzzRequestAgainstNetHTTP(f *testing.F) {
	for _, seed := range []string{
		typicalHead,
		"POST /a/../b%2Fc?d=e HTTP/1.1\r\nHost: X:80\r\nContent-Length: 3\r\n\r\nabcGET",
		"POST http://x/%7E/../b?c HTTP/1.1\r\nHost: X\r\nTransfer-Encoding: chunked\r\nConnection: a\r\nA: b\r\n\r\n2;x\r\nab\r\n0\r\nT: u\r\n\r\n",
		"GET /ws HTTP/1.1\r\nHost: [::1]:8\r\nConnection: Upgrade\r\nUpgrade: websocket/13\r\n\r\n",
		"\r\nOPTIONS * HTTP/1.0\r\n\r\n",
		"PUT / HTTP/1.0\r\nConnection: keep-alive\r\nContent-Length: 1\r\nPragma: no-cache\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTrailer: B\r\n\r\n1\r\na\r\n0\r\nB: c\r\nHost: x\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) { compareRequest(t, data) })
}

// compareRequest reports whether there was something to compare: we have accepted the head.
func compareRequest(t *testing.T, data []byte) bool {
	t.Helper()
	end := http1.FindHead(data, 0)
	if end < 0 {
		return false
	}
	var fields header.Fields
	h, refused := http1.ParseRequest(string(data[:end]), testLimits, &fields)
	if refused != nil {
		return false
	}
	// One empty line before a request is to be tolerated (RFC 9112, section 2.2); net/http's server does not.
	theirs, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(bytes.TrimPrefix(data, []byte("\r\n")))))
	if err != nil {
		if !differsInTrailer(err) {
			t.Fatalf("net/http refuses: %v", err)
		}
		return true
	}
	compareLine(t, h, theirs)
	compareFields(t, fields.All(), theirs.Header, isHop(data[:end], theirs.Header))
	if h.KeepAlive && theirs.Close {
		t.Error("we keep a connection that net/http closes")
	}
	if chunked := slices.Equal(theirs.TransferEncoding, []string{"chunked"}); chunked != h.Chunked || theirs.ContentLength != h.Length {
		t.Errorf("framing: got %+v, want %d, chunked %v", h.Framing, theirs.ContentLength, chunked)
	}
	compareContent(t, readContent(h.Framing, data[end:]), theirs.Body, &theirs.Trailer)
	return true
}

// compareLine compares method, target and host.
func compareLine(t *testing.T, h http1.RequestHead, theirs *http.Request) {
	t.Helper()
	if h.Method != theirs.Method || h.Target != theirs.RequestURI || h.HTTP10 == theirs.ProtoAtLeast(1, 1) {
		t.Errorf("got %s %s, want %s %s %s", h.Method, h.Target, theirs.Method, theirs.RequestURI, theirs.Proto)
	}
	if want := strings.ToLower(theirs.Host); h.Host != want {
		t.Errorf("host: got %q, want %q", h.Host, want)
	}
	if h.Query != theirs.URL.RawQuery {
		t.Errorf("query: got %q, want %q", h.Query, theirs.URL.RawQuery)
	}
	comparePath(t, h.Path, theirs.URL.Path)
}

// comparePath compares what is left when all is decoded: we keep %2F apart from a slash, where net/http knows no difference.
func comparePath(t *testing.T, ours, theirs string) {
	t.Helper()
	decoded, err := url.PathUnescape(ours)
	if err != nil {
		t.Errorf("path %q: %v", ours, err)
		return
	}
	if strings.Contains(ours, "%2F") || ours == "*" {
		return
	}
	if got, want := path.Clean(decoded), path.Clean("/"+theirs); got != want {
		t.Errorf("path: got %q, want %q (%q)", got, want, ours)
	}
}

func FuzzResponseAgainstNetHTTP(f *testing.F) {
	for _, seed := range []string{
		"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nDate: x\r\n\r\nabcdef",
		"HTTP/1.0 404\r\nConnection: a, close\r\nA: b\r\n\r\nto the end",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: u\r\n\r\n",
		"HTTP/1.1 204 No Content\r\nContent-Length: 3\r\n\r\nabc",
		"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n",
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nraw",
		"HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n",
	} {
		f.Add([]byte(seed), false)
		f.Add([]byte(seed), true)
	}
	f.Fuzz(func(t *testing.T, data []byte, head bool) { compareResponse(t, data, head) })
}

// compareResponse reports whether there was something to compare.
func compareResponse(t *testing.T, data []byte, head bool) bool {
	t.Helper()
	end := http1.FindHead(data, 0)
	if end < 0 {
		return false
	}
	method := "GET"
	if head {
		method = "HEAD"
	}
	var fields header.Fields
	h, refused := http1.ParseResponse(string(data[:end]), method, testLimits, &fields)
	if refused != nil {
		return false
	}
	theirs, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(data)), &http.Request{Method: method})
	if err != nil {
		if !differsInTrailer(err) {
			t.Fatalf("net/http refuses: %v", err)
		}
		return true
	}
	if h.Status != theirs.StatusCode || h.HTTP10 == theirs.ProtoAtLeast(1, 1) {
		t.Errorf("got %d, want %s %s", h.Status, theirs.Proto, theirs.Status)
	}
	compareFields(t, fields.All(), theirs.Header, isHop(data[:end], theirs.Header))
	if h.KeepAlive && theirs.Close {
		t.Error("we keep a connection that net/http closes")
	}
	if head && h.Status >= 200 && h.Status != 204 && h.Status != 304 && h.Length != theirs.ContentLength {
		t.Errorf("length: got %d, want %d", h.Length, theirs.ContentLength)
	}
	framing := h.Framing
	if h.Bodyless {
		framing = http1.Framing{}
	}
	compareContent(t, readContent(framing, data[end:]), theirs.Body, &theirs.Trailer)
	return true
}

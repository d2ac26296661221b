package http1

import "github.com/sallyport/sallyport/core/header"

// ResponseHead is what a response's head says besides its end-to-end fields.
type ResponseHead struct {
	Status int
	HTTP10 bool
	// Framing is of the content that follows. When Bodyless it is what the fields said: of an answer to HEAD the Length
	// that a GET would have had, -1 if that is not told; of any other 0.
	Framing
	Bodyless  bool   // nothing follows the head, whatever the framing
	KeepAlive bool   // the connection may be used again after the content
	Upgrade   string // of a 101: the protocol that follows
}

const (
	badStatusLine refusal = "invalid status line"
	noUpgrade     refusal = "101 without a protocol"
)

// ParseResponse reads the head of a response to a request of that method, as FindHead delimits it, as strictly as ParseRequest.
// Its strings point into head; end-to-end fields are added to fields, those of the connection are acted on and left out.
func ParseResponse(head, method string, limits Limits, fields *header.Fields) (ResponseHead, error) {
	var h ResponseHead
	var a acted
	if why := h.parse(head, method, limits, fields, &a); why != accepted {
		return h, why
	}
	return h, nil
}

func (h *ResponseHead) parse(head, method string, limits Limits, fields *header.Fields, a *acted) refusal {
	if limits.Head > 0 && len(head) > limits.Head {
		return headTooLarge
	}
	at, why := h.parseLine(head)
	if why != accepted {
		return why
	}
	if why = a.parseFields(head, at, limits.Fields, fields); why != accepted {
		return why
	}
	if why = a.checkFraming(h.HTTP10); why != accepted {
		return why
	}
	h.KeepAlive = a.persists(h.HTTP10)
	h.frame(method, a)
	if h.Status == 101 {
		if h.Upgrade = a.upgrade; h.Upgrade == "" {
			return noUpgrade
		}
	}
	return accepted
}

// frame decides what follows the head (RFC 9112, section 6.3).
func (h *ResponseHead) frame(method string, a *acted) {
	switch {
	case h.Status < 200, h.Status == 204, h.Status == 304:
		h.Bodyless = true
		if h.Status != 304 && (a.chunked || a.length > 0) {
			h.KeepAlive = false // it must not say so; should it send content all the same, that is not read as an answer
		}
	case method == "HEAD":
		h.Bodyless = true
		h.Length = -1
		if a.hasLength {
			h.Length = a.length
		}
	case a.chunked:
		h.Framing = Framing{Length: -1, Chunked: true}
	case a.hasLength:
		h.Length = a.length
	default:
		h.Framing = Framing{Length: -1, UntilClose: true}
		h.KeepAlive = false
	}
}

// parseLine reads the status line; the index it returns is just past it. The reason phrase is not kept.
func (h *ResponseHead) parseLine(head string) (int, refusal) {
	const shortest = len("HTTP/1.1 200\r\n")
	if len(head) < shortest {
		return 0, badStatusLine
	}
	switch head[:9] {
	case "HTTP/1.1 ":
	case "HTTP/1.0 ":
		h.HTTP10 = true
	default:
		return 0, badStatusLine
	}
	if !isDigit(head[9]) || !isDigit(head[10]) || !isDigit(head[11]) || head[9] == '0' {
		return 0, badStatusLine
	}
	h.Status = int(head[9]-'0')*100 + int(head[10]-'0')*10 + int(head[11]-'0')
	end := findControl(head, 12)
	for end < len(head) && head[end] == '\t' {
		end = findControl(head, end+1)
	}
	// Servers that leave out the reason leave out the space before it too.
	if end > 12 && head[12] != ' ' || end+1 >= len(head) || head[end] != '\r' || head[end+1] != '\n' {
		return 0, badStatusLine
	}
	return end + 2, accepted
}

package filter

import (
	"fmt"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
)

// CompressOptions say what is compressed, and how.
type CompressOptions struct {
	// Encodings are the content codings in the order in which they are taken among those that a client likes equally: "zstd", "br", "gzip".
	Encodings []string
	// Types are the media types worth it: "type/subtype", "type/*" or "type/*+suffix". Types of streams cannot be among them.
	Types []string
	// MinSize is how many bytes an answer of known length must have.
	MinSize int64
	// Level is "fast", "default" or "best".
	Level string
	// MaxStreams bounds how many answers that are not held whole are compressed at once; the others pass as they are.
	MaxStreams int
}

// Compress is the native filter that puts a content coding on answers (RFC 9110, section 8.4) for clients that accept one. An answer held
// whole is compressed at once, others while they pass, and those of unknown length so that nothing of them is held back.
type Compress struct {
	codings []*coding
	types   []mediaPattern
	minSize int64
	max     int64
	streams atomic.Int64 // being compressed
	held    sync.Pool    // of *heldSource
}

// NewCompress returns a filter that compresses.
func NewCompress(o CompressOptions) (*Compress, error) {
	c := &Compress{minSize: max(o.MinSize, 1), max: int64(o.MaxStreams)}
	for _, name := range o.Encodings {
		coding, err := newCoding(name, o.Level)
		if err != nil {
			return nil, err
		}
		c.codings = append(c.codings, coding)
	}
	for _, text := range o.Types {
		pattern, err := parseMediaPattern(text)
		if err != nil {
			return nil, err
		}
		c.types = append(c.types, pattern)
	}
	if len(c.codings) == 0 || len(c.types) == 0 {
		return nil, fmt.Errorf("without encodings or types there is nothing to compress")
	}
	return c, nil
}

// Hooks asks for the request, to see what the client accepts before a later filter hides that from the upstream, and for the response.
func (c *Compress) Hooks() chain.Hooks { return chain.OnRequest | chain.OnResponse }

// Request notes which coding the client prefers; it never fails.
func (c *Compress) Request(x *exchange.Exchange, place int) (chain.Verdict, error) {
	choice := -1
	if !forbidsTransform(&x.Req.Fields) {
		choice = c.choose(&x.Req.Fields)
	}
	state := x.State(place)
	*state = append((*state)[:0], byte(choice+1))
	return chain.Continue, nil
}

// Response compresses the answer if that is allowed, worth it and wanted.
func (c *Compress) Response(x *exchange.Exchange, place int) error {
	r := &x.Resp
	if r.Status == 304 {
		weakenRevalidated(x)
		return nil
	}
	if !c.concerns(x) {
		return nil
	}
	choice := int((*x.State(place))[0]) - 1
	if choice < 0 {
		addVary(&r.Fields)
		return nil
	}
	coding := c.codings[choice]
	switch {
	case x.Req.Method == "HEAD": // what a GET would say; only its length is not known
		r.Body.Held, r.Body.Length = nil, exchange.Unknown
	case r.Body.Whole():
		if err := c.compressHeld(coding, x); err != nil {
			return err
		}
	default:
		if ok, err := c.compressStream(coding, x); !ok {
			addVary(&r.Fields)
			return err
		}
	}
	addVary(&r.Fields)
	label(x, coding.name)
	return nil
}

// concerns reports whether the answer is one that is compressed for clients that accept it.
func (c *Compress) concerns(x *exchange.Exchange) bool {
	r := &x.Resp
	switch {
	case r.Status < 200 || r.Status >= 204 && r.Status <= 206, r.Tunnel != nil:
		return false
	case r.Fields.Has("Content-Encoding") || r.Fields.Has("Content-Range"):
		return false
	}
	if n := contentLength(x); n >= 0 && n < c.minSize {
		return false
	}
	return c.hasType(r.Fields.Value("Content-Type")) && !forbidsTransform(&r.Fields)
}

func contentLength(x *exchange.Exchange) int64 {
	b := &x.Resp.Body
	if b.Source == nil && x.Req.Method != "HEAD" {
		return int64(len(b.Held))
	}
	return b.Length
}

// forbidsTransform reports whether intermediaries must leave the content alone (RFC 9111, sections 5.2.1.6 and 5.2.2.6).
func forbidsTransform(fields *header.Fields) bool {
	for _, field := range fields.All() {
		if header.EqualName(field.Name, "Cache-Control") && hasListed(field.Value, "no-transform") {
			return true
		}
	}
	return false
}

// hasListed reports whether a list of tokens (RFC 9110, section 5.6.1) holds one, without regard to case.
func hasListed(list, token string) bool {
	for element := range strings.SplitSeq(list, ",") {
		if header.EqualName(trimSpace(element), token) {
			return true
		}
	}
	return false
}

package filter

import (
	"io"

	"github.com/sallyport/sallyport/core/exchange"
)

// heldSource lends the memory of a compressed answer until its body is closed.
type heldSource struct {
	c      *Compress
	coded  []byte
	source exchange.Source // of the content as it came; may be nil
}

// compressHeld compresses a body that is held whole.
func (c *Compress) compressHeld(coding *coding, x *exchange.Exchange) error {
	r := &x.Resp
	content := r.Body.Held
	if n := r.Body.Length; n >= 0 && int64(len(content)) > n {
		content = content[:n]
	}
	p, err := coding.get()
	if err != nil {
		return err
	}
	defer coding.put(p)
	if _, err = p.Write(content); err == nil {
		err = p.Close()
	}
	if err != nil {
		return err
	}
	h, _ := c.held.Get().(*heldSource)
	if h == nil {
		h = &heldSource{c: c}
	}
	h.coded, p.out = p.out, h.coded
	h.source = r.Body.Source
	r.Body = exchange.Body{Length: int64(len(h.coded)), Held: h.coded, Source: h}
	removeDigests(&r.Trailers)
	return nil
}

// Read brings nothing: all is held.
func (h *heldSource) Read([]byte) (int, error) { return 0, io.EOF }

// Close gives the memory back, and lets go of what the content came from.
func (h *heldSource) Close() error {
	source := h.source
	h.source = nil
	if cap(h.coded) > maxKept {
		h.coded = nil
	}
	h.c.held.Put(h)
	if source == nil {
		return nil
	}
	return source.Close()
}

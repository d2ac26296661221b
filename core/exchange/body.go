package exchange

import (
	"errors"
	"io"
)

// Unknown is the Length of a body whose end shows only when it comes.
const Unknown int64 = -1

// Source is where the bytes of a body that is not wholly held come from.
// Read follows io.Reader; Close lets go of what is behind it (a connection, a count) and is called once.
type Source interface {
	Read(p []byte) (int, error)
	Close() error
}

// Body is the content of a message: the bytes already at hand, then those still to come.
// The zero value is an empty body.
type Body struct {
	// Length is the whole content's length in bytes, or Unknown.
	Length int64
	// Held are the first bytes of the content, already decoded. They stay valid until the body is closed.
	Held []byte
	// Source brings what follows Held; nil when nothing does. A Source may be set although Held is whole:
	// then only its Close is of interest.
	Source Source

	off int // how much of Held has been read
}

// Whole reports whether all of the content is in Held, so that it can be sent again.
func (b *Body) Whole() bool {
	return b.Source == nil || (b.Length >= 0 && int64(len(b.Held)) >= b.Length)
}

// Empty reports whether there is no content at all.
func (b *Body) Empty() bool { return b.Length == 0 || (b.Source == nil && len(b.Held) == 0) }

// Rewind makes Read begin again at the first byte; it reports false when bytes of the Source are gone.
func (b *Body) Rewind() bool {
	if !b.Whole() {
		return false
	}
	b.off = 0
	return true
}

// Rest returns the held bytes not read yet and counts them as read.
func (b *Body) Rest() []byte {
	rest := b.Held[b.off:]
	b.off = len(b.Held)
	return rest
}

// Read reads the held bytes, then those of the Source. It returns io.EOF at the end of the content.
func (b *Body) Read(p []byte) (int, error) {
	if b.off < len(b.Held) {
		n := copy(p, b.Held[b.off:])
		b.off += n
		return n, nil
	}
	if b.Whole() {
		return 0, io.EOF
	}
	return b.Source.Read(p)
}

// Set makes content the whole body and closes what was there before. The Body keeps content, it does not copy it.
func (b *Body) Set(content []byte) {
	_ = b.Close() // the old content is not wanted any more: how its source ends is of no interest
	*b = Body{Length: int64(len(content)), Held: content}
}

// ErrTooLarge says that content is larger than may be held.
var ErrTooLarge = errors.New("content is larger than may be held")

// firstRoom is what is taken to hold content whose length is not known.
const firstRoom = 8 << 10

// Hold reads what is still to come, so that all of the content is in Held, and lets go of the Source. It fails with ErrTooLarge beyond limit
// bytes, and with the Source's error; then the body has lost bytes and is good for nothing but Close.
func (b *Body) Hold(limit int64) error {
	if b.Whole() {
		return nil
	}
	if b.Length > limit {
		return ErrTooLarge
	}
	room := max(b.Length, firstRoom)
	if b.Length < 0 {
		room = max(firstRoom, 2*int64(len(b.Held)))
	}
	held, err := readAll(b.Source, append(make([]byte, 0, min(room, limit)), b.Held...), limit)
	if err != nil {
		return err
	}
	off := b.off
	_ = b.Close() // it has been read to its end
	*b = Body{Length: int64(len(held)), Held: held, off: off}
	return nil
}

// readAll appends all that source brings, up to limit bytes together.
func readAll(source Source, held []byte, limit int64) ([]byte, error) {
	for {
		if len(held) == cap(held) {
			// One byte more than the limit shows that there is more.
			grown := make([]byte, len(held), min(max(2*int64(cap(held)), firstRoom), limit+1))
			copy(grown, held)
			held = grown
		}
		n, err := source.Read(held[len(held):cap(held)])
		held = held[:len(held)+n]
		switch {
		case int64(len(held)) > limit:
			return nil, ErrTooLarge
		case err == io.EOF:
			return held, nil
		case err != nil:
			return nil, err
		}
	}
}

// Close lets go of the Source; it may be called more than once.
func (b *Body) Close() error {
	source := b.Source
	if source == nil {
		return nil
	}
	b.Source = nil
	return source.Close()
}

// Reset closes the body and makes it empty.
func (b *Body) Reset() {
	_ = b.Close()
	*b = Body{}
}

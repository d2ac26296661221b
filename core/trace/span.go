package trace

import (
	"strings"
	"time"
)

// Kind is the role that a span plays.
type Kind uint8

// The kinds.
const (
	Internal Kind = iota
	Server
	Client
)

// Attr is a named text or number of a span.
type Attr struct {
	Name     string
	Text     string
	Number   int64
	IsNumber bool
}

// Span is a piece of work in a trace. End is zero until it is over.
type Span struct {
	ID, Parent SpanID
	Name       string
	Kind       Kind
	Start, End time.Time
	Failed     bool
	Why        string // it has failed
	Fuel       int64  // used by a plugin
	Attrs      []Attr
}

// Set adds a text; an empty one is left out.
func (s *Span) Set(name, text string) {
	if text != "" {
		s.Attrs = append(s.Attrs, Attr{Name: name, Text: text})
	}
}

// SetNumber adds a number.
func (s *Span) SetNumber(name string, n int64) {
	s.Attrs = append(s.Attrs, Attr{Name: name, Number: n, IsNumber: true})
}

// Fail says that the work has failed, of what kind the error was, and why.
func (s *Span) Fail(kind, why string) {
	s.Failed, s.Why = true, why
	s.Set("error.type", kind)
}

// Sink lends Recordings and takes them back. It may be used by many goroutines, and never waits.
type Sink interface {
	// Take returns an empty Recording.
	Take() *Recording
	// Submit takes a Recording whose spans are to be exported. It must not be used afterwards.
	Submit(r *Recording)
	// Discard takes back one that nothing is to be made of.
	Discard(r *Recording)
}

// textRoom is what the strings of a Recording take, most often.
const textRoom = 1 << 10

// Recording is the spans of a sampled exchange, or of a plugin's fetch. It belongs to one goroutine. Places of spans lead to Spans, whose
// elements may move when another span begins.
type Recording struct {
	Trace ID
	Flags Flags
	Spans []Span // the first is the whole's, which the others are part of

	within SpanID // what begins now is a part of it
	sink   Sink
	text   strings.Builder
}

// Begin begins the span of the whole, at place 0.
func (r *Recording) Begin(sink Sink, c Context, parent SpanID, kind Kind, start time.Time) {
	r.sink, r.Trace, r.Flags, r.within = sink, c.Trace, c.Flags, parent
	r.open(c.Span, kind, start)
}

// Open begins a span within the one that was opened last and is not closed.
func (r *Recording) Open(kind Kind, start time.Time) (place int) {
	return r.open(NewSpanID(), kind, start)
}

func (r *Recording) open(id SpanID, kind Kind, start time.Time) (place int) {
	place = len(r.Spans)
	if place < cap(r.Spans) {
		r.Spans = r.Spans[:place+1]
	} else {
		r.Spans = append(r.Spans, Span{})
	}
	s := &r.Spans[place]
	*s = Span{ID: id, Parent: r.within, Kind: kind, Start: start, Attrs: s.Attrs[:0]}
	r.within = id
	return place
}

// Close ends the span at that place and returns it, to be named and described.
func (r *Recording) Close(place int, end time.Time) *Span {
	s := &r.Spans[place]
	s.End = end
	r.within = s.Parent
	return s
}

// At returns the place in the trace of a span.
func (r *Recording) At(place int) Context {
	return Context{Trace: r.Trace, Span: r.Spans[place].ID, Flags: r.Flags}
}

// Keep copies a text that would else hold on to more than itself until the spans have been exported.
func (r *Recording) Keep(text string) string {
	if r.text.Cap() == 0 {
		r.text.Grow(textRoom)
	}
	start := r.text.Len()
	r.text.WriteString(text)
	return r.text.String()[start:]
}

// Fork returns a Recording of what happens beside this one, within its open span; its own whole begins at once.
func (r *Recording) Fork(kind Kind, start time.Time) *Recording {
	fork := r.sink.Take()
	fork.Begin(r.sink, Context{Trace: r.Trace, Span: NewSpanID(), Flags: r.Flags}, r.within, kind, start)
	return fork
}

// Submit hands the Recording to where it came from, to be exported.
func (r *Recording) Submit() { r.sink.Submit(r) }

// Discard gives it back unused.
func (r *Recording) Discard() { r.sink.Discard(r) }

// Reset makes it empty again and keeps its room, but for the texts.
func (r *Recording) Reset() {
	for i := range r.Spans {
		clear(r.Spans[i].Attrs)
		r.Spans[i] = Span{Attrs: r.Spans[i].Attrs[:0]}
	}
	*r = Recording{Spans: r.Spans[:0]}
}

// Trace is an exchange's part in a trace; the zero value is none.
type Trace struct {
	Context              // of the exchange's own span
	Parent    SpanID     // whose part it is; zero: it is the first
	Recording *Recording // nil: the trace is not sampled
}

// IsOn reports whether the exchange is part of a trace.
func (t *Trace) IsOn() bool { return t.Span != SpanID{} }

package trace

import (
	"strings"
	"testing"
	"time"
)

// shelf is a Sink that keeps what it gets.
type shelf struct{ got []*Recording }

func (s *shelf) Take() *Recording     { return &Recording{} }
func (s *shelf) Submit(r *Recording)  { s.got = append(s.got, r) }
func (s *shelf) Discard(r *Recording) { r.Reset() }

func TestSpansKnowWhatTheyArePartOf(t *testing.T) {
	start := time.Unix(1, 0)
	sink := &shelf{}
	c := Context{Trace: NewID(), Span: NewSpanID(), Flags: Sampled}
	r := sink.Take()
	r.Begin(sink, c, SpanID{7}, Server, start)
	hook := r.Open(Internal, start)
	fork := r.Fork(Internal, start)
	inner := r.Open(Client, start)
	r.Close(inner, start)
	r.Close(hook, start)
	try := r.Open(Client, start)
	r.Close(try, start)
	r.Close(0, start)

	root := r.Spans[0]
	if root.ID != c.Span || root.Parent != (SpanID{7}) {
		t.Errorf("got %v", root)
	}
	if r.Spans[hook].Parent != root.ID || r.Spans[inner].Parent != r.Spans[hook].ID || r.Spans[try].Parent != root.ID {
		t.Errorf("got %v", r.Spans)
	}
	if fork.Spans[0].Parent != r.Spans[hook].ID || fork.Trace != c.Trace || fork.Flags != Sampled {
		t.Errorf("got %v", fork)
	}
	if at := r.At(try); at.Span != r.Spans[try].ID || at.Trace != c.Trace || !at.IsSampled() {
		t.Errorf("got %v", at)
	}
	fork.Submit()
	r.Submit()
	if len(sink.got) != 2 || sink.got[0] != fork {
		t.Errorf("got %v", sink.got)
	}
}

func TestKeepKeepsTexts(t *testing.T) {
	var r Recording
	var kept, want []string
	for i := range 200 {
		text := strings.Repeat(string(rune('a'+i%26)), i)
		kept, want = append(kept, r.Keep(text)), append(want, text)
	}
	for i := range kept {
		if kept[i] != want[i] {
			t.Errorf("%d: got %q, want %q", i, kept[i], want[i])
		}
	}
}

// A Recording that is used again has nothing of what it had.
func TestReset(t *testing.T) {
	sink := &shelf{}
	r := sink.Take()
	r.Begin(sink, Context{Span: SpanID{1}}, SpanID{2}, Server, time.Unix(1, 0))
	r.Spans[0].Set("a", "b")
	r.Spans[0].Fail("kind", "why")
	r.Close(r.Open(Client, time.Unix(2, 0)), time.Unix(3, 0)).SetNumber("n", 7)
	r.Discard()
	if len(r.Spans) != 0 {
		t.Fatalf("got %v", r.Spans)
	}
	r.Begin(sink, Context{Span: SpanID{3}}, SpanID{}, Server, time.Unix(4, 0))
	place := r.Open(Client, time.Unix(5, 0))
	for _, s := range r.Spans {
		if len(s.Attrs) != 0 || s.Failed || s.Why != "" || !s.End.IsZero() {
			t.Errorf("got %v", s)
		}
	}
	if r.Spans[0].Parent != (SpanID{}) || r.Spans[place].Parent != (SpanID{3}) {
		t.Errorf("got %v", r.Spans)
	}
}

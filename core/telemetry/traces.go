package telemetry

import (
	"sync"
	"sync/atomic"

	"github.com/sallyport/sallyport/core/trace"
)

// Traces is where Recordings come from and go to: the exporter of the moment, if there is one. The zero value is ready; it may be used
// by many goroutines. It is a trace.Sink.
type Traces struct {
	exporter atomic.Pointer[TraceExporter]
	free     sync.Pool
	counts   traceCounts
}

// traceCounts are of all exporters that there have been.
type traceCounts struct {
	exported, dropped, failed atomic.Uint64
}

// TraceState is how it is going with the spans.
type TraceState struct {
	Waiting                   int    // spans to be sent
	Exported, Dropped, Failed uint64 // spans: sent; not sent since too many waited, or nobody took them; sent in vain
}

// Take returns an empty Recording.
func (t *Traces) Take() *trace.Recording {
	if r, ok := t.free.Get().(*trace.Recording); ok {
		return r
	}
	return &trace.Recording{}
}

// Submit takes the spans, or drops and counts them.
func (t *Traces) Submit(r *trace.Recording) {
	for {
		e := t.exporter.Load()
		if e != nil && e.add(r) {
			return
		}
		if t.exporter.Load() == e { // else it was closed meanwhile, and there is another
			t.drop(r)
			return
		}
	}
}

func (t *Traces) drop(r *trace.Recording) {
	t.counts.dropped.Add(uint64(len(r.Spans)))
	t.Discard(r)
}

// Discard takes back a Recording without making anything of it.
func (t *Traces) Discard(r *trace.Recording) {
	if cap(r.Spans) <= maxKeptSpans {
		r.Reset()
		t.free.Put(r)
	}
}

// maxKeptSpans is the most room that an idle Recording keeps.
const maxKeptSpans = 64

// Swap makes e the exporter, nil for none, and returns the former, which the caller closes.
func (t *Traces) Swap(e *TraceExporter) (former *TraceExporter) { return t.exporter.Swap(e) }

// State returns how it is going.
func (t *Traces) State() TraceState {
	s := TraceState{Exported: t.counts.exported.Load(), Dropped: t.counts.dropped.Load(), Failed: t.counts.failed.Load()}
	if e := t.exporter.Load(); e != nil {
		s.Waiting = e.waits()
	}
	return s
}

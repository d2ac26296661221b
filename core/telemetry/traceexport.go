package telemetry

import (
	"context"
	"log/slog"
	"sync"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"

	"github.com/sallyport/sallyport/core/trace"
)

const (
	// traceInterval is how long a span may wait to be sent. As with the access log, a timer and not each span wakes the sender.
	traceInterval = 500 * time.Millisecond
	// batchSpans is how many spans are sent at once; so many waiting wake the sender early.
	batchSpans = 512
	// maxWaitingSpans may wait; more are dropped. A span takes about a kilobyte.
	maxWaitingSpans = 8192
)

// uploader carries spans to a collector, as the clients of the OTLP exporters do. It is used by one goroutine.
type uploader interface {
	Start(ctx context.Context) error
	Stop(ctx context.Context) error
	UploadTraces(ctx context.Context, spans []*tracepb.ResourceSpans) error
}

// TraceExporter sends spans to a collector. Nothing waits for it: what would not fit into its queue is dropped and counted.
type TraceExporter struct {
	home    *Traces
	to      uploader
	options OTLPOptions
	trouble trouble

	mu      sync.Mutex // of what follows
	queue   []*trace.Recording
	spans   int // in queue
	closed  bool
	wake    chan struct{}
	stopped chan struct{}

	spare   []*trace.Recording
	context context.Context // ends with the last flush's patience
	cancel  context.CancelFunc
}

// newTraceExporter starts one for spans of home.
func newTraceExporter(home *Traces, to uploader, o OTLPOptions, log *slog.Logger) (*TraceExporter, error) {
	e := &TraceExporter{home: home, to: to, options: o, wake: make(chan struct{}, 1), stopped: make(chan struct{})}
	e.trouble.log, e.trouble.what, e.trouble.endpoint = log, "spans", o.Endpoint
	e.context, e.cancel = context.WithCancel(context.Background())
	if err := to.Start(e.context); err != nil {
		e.cancel()
		return nil, err
	}
	go e.run()
	return e, nil
}

// add queues the spans, or drops them when too many wait. It reports false when the exporter is closed.
func (e *TraceExporter) add(r *trace.Recording) bool {
	n := len(r.Spans)
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return false
	}
	if e.spans+n > maxWaitingSpans {
		e.mu.Unlock()
		e.home.drop(r)
		return true
	}
	wake := e.spans < batchSpans && e.spans+n >= batchSpans
	e.queue = append(e.queue, r)
	e.spans += n
	e.mu.Unlock()
	if wake {
		e.rouse()
	}
	return true
}

func (e *TraceExporter) rouse() {
	select {
	case e.wake <- struct{}{}:
	default: // it has been woken already
	}
}

func (e *TraceExporter) waits() int {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.spans
}

// Close sends what waits and lets go of the collector, within the timeout and five seconds at most. It may be called once.
func (e *TraceExporter) Close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	patience := time.AfterFunc(e.options.patience(), e.cancel)
	defer patience.Stop()
	e.rouse()
	<-e.stopped
	_ = e.to.Stop(e.context) // what could be sent has been: there is nothing to be done about it
	e.cancel()
}

func (e *TraceExporter) run() {
	defer close(e.stopped)
	tick := time.NewTicker(traceInterval)
	defer tick.Stop()
	for {
		select {
		case <-tick.C:
		case <-e.wake:
		}
		if closed := e.flush(); closed {
			return
		}
	}
}

// flush sends what waits, and reports whether nothing will come any more.
func (e *TraceExporter) flush() (closed bool) {
	for {
		e.mu.Lock()
		batch, left := e.take()
		closed = e.closed
		e.mu.Unlock()
		if len(batch) == 0 {
			return closed
		}
		e.send(batch)
		if !left && !closed {
			return false
		}
	}
}

// take takes a batch off the queue, and tells whether more waits. The lock is held.
func (e *TraceExporter) take() (batch []*trace.Recording, left bool) {
	n, spans := 0, 0
	for n < len(e.queue) && (n == 0 || spans+len(e.queue[n].Spans) <= batchSpans) {
		spans += len(e.queue[n].Spans)
		n++
	}
	batch = append(e.spare[:0], e.queue[:n]...)
	rest := copy(e.queue, e.queue[n:])
	clear(e.queue[rest:])
	e.queue = e.queue[:rest]
	e.spans -= spans
	return batch, rest > 0
}

// send sends a batch. Once sent, or in vain, its room is used again: the client holds on to nothing of it.
func (e *TraceExporter) send(batch []*trace.Recording) {
	spans := 0
	for _, r := range batch {
		spans += len(r.Spans)
	}
	ctx, cancel := context.WithTimeout(e.context, e.options.Timeout)
	err := e.to.UploadTraces(ctx, resourceSpans(e.options.Service, batch))
	cancel()
	e.note(err, spans)
	for _, r := range batch {
		e.home.Discard(r)
	}
	clear(batch)
	e.spare = batch
}

// note counts, and tells when it begins to go wrong, and when it goes well again.
func (e *TraceExporter) note(err error, spans int) {
	counts := &e.home.counts
	if err == nil {
		counts.exported.Add(uint64(spans))
	} else {
		counts.failed.Add(uint64(spans))
	}
	e.trouble.note(err, "failed", counts.failed.Load(), "dropped", counts.dropped.Load())
}

package telemetry

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/sallyport/sallyport/core/trace"
)

// sinkhole is an uploader that asks what to say, and counts.
type sinkhole struct {
	answer func(ctx context.Context) error

	mu    sync.Mutex
	sizes []int // of batches
	names []string
}

func (*sinkhole) Start(context.Context) error { return nil }
func (*sinkhole) Stop(context.Context) error  { return nil }

func (s *sinkhole) UploadTraces(ctx context.Context, resources []*tracepb.ResourceSpans) error {
	spans := resources[0].ScopeSpans[0].Spans
	s.mu.Lock()
	s.sizes = append(s.sizes, len(spans))
	for _, one := range spans {
		s.names = append(s.names, strings.Clone(one.Name))
	}
	s.mu.Unlock()
	if _, err := proto.Marshal(resources[0]); err != nil {
		return err
	}
	if s.answer == nil {
		return nil
	}
	return s.answer(ctx)
}

func exporting(t *testing.T, to uploader, log io.Writer) *Traces {
	t.Helper()
	home := &Traces{}
	e, err := newTraceExporter(home, to, OTLPOptions{Timeout: time.Minute, Service: "s"}, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	home.Swap(e)
	return home
}

// submit hands in a recording of so many spans.
func submit(home *Traces, spans int, name string) {
	r := home.Take()
	r.Begin(home, trace.Context{Trace: trace.NewID(), Span: trace.NewSpanID(), Flags: trace.Sampled}, trace.SpanID{}, trace.Server, time.Now())
	for range spans - 1 {
		r.Close(r.Open(trace.Client, time.Now()), time.Now()).Name = name
	}
	r.Close(0, time.Now()).Name = name
	r.Submit()
}

func TestSpansGoInBatches(t *testing.T) {
	to := &sinkhole{}
	home := exporting(t, to, io.Discard)
	for range 1000 {
		submit(home, 3, "a")
	}
	submit(home, 2000, "b") // more than a batch, but one exchange's
	home.Swap(nil).Close()
	total := 0
	for _, n := range to.sizes {
		total += n
		if n > batchSpans && n != 2000 {
			t.Errorf("a batch of %d", n)
		}
	}
	if s := home.State(); total != 5000 || s.Exported != 5000 || s.Dropped+s.Failed != 0 || s.Waiting != 0 {
		t.Errorf("got %d, %+v", total, s)
	}
}

func TestTooManySpansAreDroppedAndCounted(t *testing.T) {
	release := make(chan struct{})
	to := &sinkhole{answer: func(context.Context) error { <-release; return nil }}
	home := exporting(t, to, io.Discard)
	const handed = 3 * maxWaitingSpans
	for range handed / 4 {
		submit(home, 4, "a")
	}
	s := home.State()
	if s.Waiting > maxWaitingSpans || s.Dropped < handed-maxWaitingSpans-2*batchSpans || s.Dropped%4 != 0 {
		t.Errorf("got %+v", s)
	}
	close(release)
	home.Swap(nil).Close()
	if s := home.State(); s.Exported+s.Dropped != handed {
		t.Errorf("got %+v of %d", s, handed)
	}
	submit(home, 7, "late")
	if after := home.State(); after.Dropped != home.counts.dropped.Load() || after.Exported+after.Dropped != handed+7 {
		t.Errorf("without an exporter: got %+v", after)
	}
}

func TestTroubleIsToldOncePerChange(t *testing.T) {
	var log strings.Builder
	fails := true
	to := &sinkhole{answer: func(context.Context) error {
		if fails {
			return errors.New("no route")
		}
		return nil
	}}
	e := &TraceExporter{home: &Traces{}, to: to, options: OTLPOptions{Timeout: time.Minute}, context: t.Context()}
	e.trouble.log = slog.New(slog.NewTextHandler(&log, nil))
	for _, fails = range []bool{false, true, true, false, false, true} {
		e.send([]*trace.Recording{{Spans: make([]trace.Span, 2)}})
	}
	if n, m := strings.Count(log.String(), "cannot be sent"), strings.Count(log.String(), "again"); n != 2 || m != 1 {
		t.Errorf("got %d and %d:\n%s", n, m, log.String())
	}
	if s := e.home.State(); s.Exported != 6 || s.Failed != 6 {
		t.Errorf("got %+v", s)
	}
}

// The end does not wait for a collector that does not answer.
func TestCloseGivesUpOnAStuckCollector(t *testing.T) {
	to := &sinkhole{answer: func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() }}
	home := &Traces{}
	e, err := newTraceExporter(home, to, OTLPOptions{Timeout: 10 * time.Millisecond}, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	home.Swap(e)
	for range 3000 {
		submit(home, 1, "a")
	}
	home.Swap(nil).Close()
	if s := home.State(); s.Failed != 3000 {
		t.Errorf("got %+v", s)
	}
}

// What clients send never makes a batch that cannot be written, nor do spans that have not ended.
func TestHostileSpans(t *testing.T) {
	to := &sinkhole{}
	home := exporting(t, to, io.Discard)
	r := home.Take()
	r.Begin(home, trace.Context{Trace: trace.NewID(), Span: trace.NewSpanID()}, trace.NewSpanID(), trace.Server, time.Unix(100, 0))
	s := &r.Spans[r.Open(trace.Internal, time.Unix(101, 0))]
	s.Name = "\xff\xfe"
	s.Set("a", strings.Repeat("é", 5000)+"\x80")
	s.Fail("\xc3", "\xed\xa0\x80")
	r.Close(0, time.Unix(99, 0)).Name = "root"
	out := resourceSpans("\xff", []*trace.Recording{r})
	for _, span := range out[0].ScopeSpans[0].Spans {
		if span.EndTimeUnixNano < span.StartTimeUnixNano {
			t.Errorf("%s ends before it begins", span.Name)
		}
	}
	r.Submit()
	home.Swap(nil).Close()
	if s := home.State(); s.Exported != 2 {
		t.Errorf("got %+v", s)
	}
}

// Recordings are used again while others are on their way: nothing of one gets into another.
func TestRecordingsAreNotMixedUp(t *testing.T) {
	to := &sinkhole{}
	home := exporting(t, to, io.Discard)
	var wait sync.WaitGroup
	for _, name := range []string{"a", "b", "c", "d"} {
		wait.Go(func() {
			for n := range 500 {
				submit(home, 1+n%3, name)
			}
		})
	}
	wait.Wait()
	home.Swap(nil).Close()
	counts := map[string]int{}
	for _, name := range to.names {
		counts[name]++
	}
	for _, name := range []string{"a", "b", "c", "d"} {
		if counts[name] != 999 {
			t.Errorf("%s: got %d spans", name, counts[name])
		}
	}
	if len(counts) != 4 {
		t.Errorf("got %v", counts)
	}
}

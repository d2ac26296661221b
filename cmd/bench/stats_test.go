package main

import (
	"math"
	"strings"
	"testing"
	"time"
)

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		name   string
		values []float64
		want   float64
	}{
		{"none", nil, 0},
		{"one", []float64{7}, 7},
		{"odd", []float64{9, 1, 5}, 5},
		{"even", []float64{4, 1, 3, 100}, 3.5},
	} {
		t.Run(c.name, func(t *testing.T) {
			before := append([]float64(nil), c.values...)
			if got := median(c.values); got != c.want {
				t.Errorf("got %v, want %v", got, c.want)
			}
			for i := range before {
				if c.values[i] != before[i] {
					t.Errorf("the values were reordered: %v", c.values)
				}
			}
		})
	}
}

// of is a round of one second.
func of(requests int64, cpu time.Duration) round {
	return round{load: load{requests: requests, elapsed: time.Second, p50: time.Millisecond, p99: 2 * time.Millisecond}, cpu: cpu}
}

func in(turn int, r round) round {
	r.turn = turn
	return r
}

func TestRatiosAreOfTheSameTurn(t *testing.T) {
	a := result{counts: []round{in(1, of(100, time.Second)), in(2, of(300, time.Second)), in(4, of(1, time.Second))}}
	b := result{counts: []round{in(1, of(100, time.Second)), in(2, of(100, time.Second)), in(3, of(9, time.Second))}}
	if got := a.ratioTo(b, round.perSecond); got != 2 {
		t.Errorf("got %v, want 2, the median of 1 and 3", got)
	}
}

func TestRoundsBelowTheMarkAreThrownAway(t *testing.T) {
	var r result
	for _, cpu := range []time.Duration{949 * time.Millisecond, 950 * time.Millisecond, time.Second} {
		r.add(of(100_000, cpu), 0.95)
	}
	if len(r.counts) != 2 || len(r.thrown) != 1 || r.thrown[0].cpu != 949*time.Millisecond {
		t.Errorf("got %d kept, thrown away %+v", len(r.counts), r.thrown)
	}
}

func TestReportComparesWithNginx(t *testing.T) {
	results := []result{
		{name: "sallyport", counts: []round{of(100_000, 960*time.Millisecond), in(2, of(50_000, time.Second)), in(3, of(125_000, time.Second))}},
		{name: "nginx", counts: []round{of(80_000, 960*time.Millisecond)}},
		{name: "sallyport/h2", protocol: h2, counts: []round{of(10_000, time.Second)}},
		{name: "haproxy", thrown: []round{of(1, time.Millisecond)}},
	}
	r := newReport(settings{seconds: 1, minBusy: 0.95}, results)
	first := r.Rows[0]
	for _, c := range []struct {
		name      string
		got, want float64
	}{
		{"CPU", first.CPU, 9.6},
		{"least CPU", first.CPULeast, 8},
		{"most CPU", first.CPUMost, 20},
		{"CPU to nginx", first.CPURatio, 0.8},
		{"requests", first.PerSecond, 100_000},
		{"requests to nginx", first.PerSecRatio, 1.25},
		{"p50", first.P50, 1000},
		{"p99", first.P99, 2000},
		{"nginx to itself", r.Rows[1].CPURatio, 1},
		{"haproxy, of which nothing counts", r.Rows[3].CPURatio, 0},
		{"no nginx of the same protocol", r.Rows[2].CPURatio, 0},
	} {
		if math.Abs(c.got-c.want) > 1e-9 {
			t.Errorf("%s: got %v, want %v", c.name, c.got, c.want)
		}
	}
	var out strings.Builder
	r.print(&out)
	for _, want := range []string{"sallyport", "9.60", "8.00–20.00", "0.80", "1.25"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in the table:\n%s", want, out.String())
		}
	}
}

func TestReportWithoutNginxHasNoRatios(t *testing.T) {
	r := newReport(settings{}, []result{{name: "haproxy", counts: []round{of(1000, time.Second)}}})
	if got := r.Rows[0].CPURatio; got != 0 {
		t.Errorf("got %v, want 0", got)
	}
}

package plugin

import (
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"

	"github.com/sallyport/sallyport/core/chain"
	"github.com/sallyport/sallyport/core/header"
	"github.com/sallyport/sallyport/core/plugin/abi"
)

func labels(pairs ...string) string {
	var fields []header.Field
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, header.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return fieldList(fields...)
}

func TestMetricArguments(t *testing.T) {
	long := func(n int) string { return strings.Repeat("n", n) }
	many := make([]string, 0, 34)
	for i := range 17 {
		many = append(many, fmt.Sprintf("l%d", i), "v")
	}
	runCases(t, Grants{}, []callCase{
		{"count", do("metric_add", "requests", "", int64(2)), "0"},
		{"count nothing", do("metric_add", "requests", labels(), int64(0)), "0"},
		{"labels", do("metric_add", "requests", labels("b", "2", "a", "1"), int64(3)), "0"},
		{"labels in another order", do("metric_add", "requests", labels("a", "1", "b", "2"), int64(4)), "0"},
		{"an empty value", do("metric_add", "requests", labels("a", ""), int64(1)), "0"},
		{"most that is possible", do("metric_add", "big", "", int64(math.MaxInt64)), "0"},
		{"negative", do("metric_add", "requests", "", int64(-1)), "-2"},
		{"observe", do("metric_observe", "seconds", "", 0.25), "0"},
		{"observe on", do("metric_observe", "seconds", "", 0.2500001), "0"},
		{"observe less than nothing", do("metric_observe", "seconds", "", -5.0), "0"},
		{"observe a lot", do("metric_observe", "seconds", "", 1e300), "0"},
		{"infinity", do("metric_observe", "seconds", "", math.Inf(-1)), "-2"},
		{"no number", do("metric_observe", "seconds", "", math.NaN()), "-2"},
		{"a counter observed", do("metric_observe", "requests", "", 1.0), "-8"},
		{"a counter observed elsewhere", do("metric_observe", "requests", labels("c", "1"), 1.0), "-8"},
		{"a histogram counted", do("metric_add", "seconds", "", int64(1)), "-8"},

		{"no name", do("metric_add", "", "", int64(1)), "-2"},
		{"name with a digit first", do("metric_add", "5xx", "", int64(1)), "-2"},
		{"name with a dash", do("metric_add", "a-b", "", int64(1)), "-2"},
		{"name with a colon", do("metric_observe", "a:b", "", 1.0), "-2"},
		{"longest name", do("metric_add", long(256), "", int64(1)), "0"},
		{"name too long", do("metric_add", long(257), "", int64(1)), "-5"},
		{"name too long, before the number", do("metric_observe", long(257), "", math.NaN()), "-5"},
		{"no list", do("metric_add", "a", "abc", int64(1)), "-2"},
		{"a list that lies", do("metric_add", "a", labels("a", "1")+"x", int64(1)), "-2"},
		{"sixteen labels", do("metric_add", "a", labels(many[:32]...), int64(1)), "0"},
		{"seventeen labels", do("metric_add", "a", labels(many...), int64(1)), "-5"},
		{"longest label", do("metric_add", "a", labels(long(256), long(256)), int64(1)), "0"},
		{"label name too long", do("metric_add", "a", labels(long(257), ""), int64(1)), "-5"},
		{"label value too long", do("metric_add", "a", labels("a", long(257)), int64(1)), "-5"},
		{"label without name", do("metric_add", "a", labels("", "v"), int64(1)), "-2"},
		{"label twice", do("metric_add", "a", labels("x", "1", "y", "", "x", "2"), int64(1)), "-2"},
		{"label of a histogram", do("metric_add", "a", labels("le", "1"), int64(1)), "-2"},
		{"label of the gateway", do("metric_add", "a", labels("plugin", "1"), int64(1)), "-2"},
		{"label of Prometheus", do("metric_add", "a", labels("__name__", "1"), int64(1)), "-2"},
		{"label that is no text", do("metric_add", "a", labels("x", "\xff"), int64(1)), "-2"},
	})
}

// All copies of a plugin count together, whatever their configuration, and a new version goes on.
func TestMetricsOfOneName(t *testing.T) {
	h, _ := newHost(t)
	s := script{hooks: abi.HookRequest, request: []step{
		do("metric_add", "requests", labels("b", "2", "a", "1"), int64(5)),
		do("metric_observe", "seconds", "", 0.0001), do("metric_observe", "seconds", "", 0.00011), do("metric_observe", "seconds", "", 6e6),
	}}
	for range 3 {
		p := load(t, h, "probe", Limits{})
		for range 2 {
			if _, err := configure(t, p, s.compile(t)).Filter("test", chain.Deny).Request(newExchange(), 0); err != nil {
				t.Fatal(err)
			}
		}
		p.Close()
	}
	p := load(t, h, "probe", Limits{})
	buckets := make([]uint64, len(bounds)+1)
	buckets[0], buckets[1], buckets[len(bounds)] = 6, 6, 6
	compare(t, p.Metrics(), []Metric{
		{Name: "requests", Labels: []header.Field{{Name: "a", Value: "1"}, {Name: "b", Value: "2"}}, Value: 30},
		{Name: "seconds", Histogram: &Histogram{Count: 18, Sum: p.Metrics()[1].Histogram.Sum, Buckets: buckets}},
	})
	if got, want := p.Metrics()[1].Histogram.Sum, 6*(6e6+0.00021); math.Abs(got-want) > 1e-6 {
		t.Errorf("the sum is %v, want %v", got, want)
	}
	if got := load(t, h, "bare", Limits{}).Metrics(); len(got) != 0 {
		t.Errorf("another plugin has %v", got)
	}
	if bounds := HistogramBounds(); len(bounds)+1 != len(buckets) || bounds[0] != 0.0001 {
		t.Errorf("bounds are %v", bounds)
	}
}

func TestSeriesAreBounded(t *testing.T) {
	m := &metrics{series: make(map[string]*series), kinds: make(map[string]kind)}
	find := func(h *hookCall, name string, k kind, value string) abi.Code {
		s, code := m.find(h, name, []header.Field{{Name: "n", Value: value}}, k)
		if code == ok {
			s.add(1)
		}
		return code
	}
	var wait sync.WaitGroup
	for w := range 8 {
		wait.Go(func() {
			h := &hookCall{}
			for i := range abi.MaxSeries {
				if code := find(h, "a", counter, fmt.Sprint((i+w*100)%abi.MaxSeries)); code != ok {
					t.Errorf("series %d: %v", i, code)
				}
			}
		})
	}
	wait.Wait()
	h := &hookCall{}
	if code := find(h, "a", counter, "more"); code != abi.TooLarge {
		t.Errorf("one more series: %v", code)
	}
	if code := find(h, "b", histogram, "more"); code != abi.TooLarge {
		t.Errorf("a histogram more: %v", code)
	}
	if code := find(h, "a", counter, "7"); code != ok {
		t.Errorf("a series that is there: %v", code)
	}
	p := &Plugin{metrics: m}
	for _, metric := range p.Metrics()[1:5] {
		if metric.Value != 8 && metric.Labels[0].Value != "7" {
			t.Errorf("%v counts %d, want 8", metric.Labels, metric.Value)
		}
	}
}

func TestGrantedCallsDoNotAllocate(t *testing.T) {
	if raceEnabled {
		t.Skip("allocations differ under the race detector")
	}
	for _, tt := range []struct {
		name string
		step step
		want float64
	}{
		{"kv_get", do("kv_get", "", "key", buf(64)), 0},
		{"kv_add", do("kv_add", "", "n", int64(1), 0, pointer{}), 0},
		{"kv_set", do("kv_set", "", "key", "value", 0), 1}, // the copy that is kept
		{"secret", do("secret", "hmac", buf(8)), 0},
		{"metric_add", do("metric_add", "m", labels("b", "1", "a", "2"), int64(1)), 0},
		{"metric_observe", do("metric_observe", "h", labels("b", "1", "a", "2"), 1.0), 0},
	} {
		s := script{hooks: abi.HookRequest, request: []step{do("kv_set", "", "key", "value", 0), tt.step}}
		if tt.name != "kv_set" {
			s.request = s.request[1:]
		}
		g := newGrants(t)
		_ = g.Stores[""].Set("key", "value", 0)
		filter, x := newProbeWith(t, &s, g).Filter("test", chain.Deny), newExchange()
		got := testing.AllocsPerRun(500, func() {
			if _, err := filter.Request(x, 0); err != nil {
				t.Fatal(err)
			}
		})
		if tt.name == "kv_set" {
			got /= 2
		}
		if got > tt.want {
			t.Errorf("%s: %v allocations, want %v", tt.name, got, tt.want)
		}
	}
}

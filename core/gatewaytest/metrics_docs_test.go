package gatewaytest

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/otlptranslator"

	"github.com/sallyport/sallyport/core/telemetry"
)

var update = flag.Bool("update", false, "write the table of metrics in docs/OPERATIONS.md anew")

const (
	operations = "../../docs/OPERATIONS.md"
	tableHead  = "| metric | in Prometheus | kind, unit | labels | what |\n|---|---|---|---|---|\n"
)

// prometheusName is what Prometheus gets to see of a metric.
func prometheusName(t *testing.T, m *telemetry.Metric) string {
	t.Helper()
	kinds := map[telemetry.Kind]otlptranslator.MetricType{
		telemetry.Counter: otlptranslator.MetricTypeMonotonicCounter, telemetry.Gauge: otlptranslator.MetricTypeGauge, telemetry.Histogram: otlptranslator.MetricTypeHistogram,
	}
	namer := otlptranslator.NewMetricNamer("", otlptranslator.UnderscoreEscapingWithSuffixes)
	name, err := namer.Build(otlptranslator.Metric{Name: m.Name, Unit: m.Unit, Type: kinds[m.Kind]})
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// table is what the documentation is to say of the metrics that are not plugins' own.
func table(t *testing.T, all []telemetry.Metric) string {
	var b strings.Builder
	b.WriteString(tableHead)
	for i := range all {
		m := &all[i]
		if isOwn(m) {
			continue
		}
		what := m.Kind.String()
		if m.Unit != "" {
			what += ", `" + m.Unit + "`"
		}
		labels := "none"
		if len(m.Labels) > 0 {
			labels = "`" + strings.Join(m.Labels, "` `") + "`"
		}
		fmt.Fprintf(&b, "| `%s` | `%s` | %s | %s | %s |\n", m.Name, prometheusName(t, m), what, labels, m.Help)
	}
	return b.String()
}

func isOwn(m *telemetry.Metric) bool {
	return strings.HasPrefix(m.Name, "sallyport.plugin.own.") || strings.HasPrefix(m.Name, "sallyport.plugin.observed.")
}

// The documentation names every metric with its unit and labels, and no other.
func TestMetricsAreDocumented(t *testing.T) {
	g := StartIn(t, busyDir(t), counted+careful(Backend(t, Echo))+busyTOML)
	makeTraffic(g)
	Until(t, "all is counted", func() bool { return g.Stats().Routes["items"].Methods["_OTHER"] == 1 })
	all := g.Metrics()
	data, err := os.ReadFile(operations)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, found := strings.Cut(string(data), tableHead)
	if !found {
		t.Fatalf("%s has no table of metrics", operations)
	}
	end := strings.Index(rest, "\n\n")
	got, after := tableHead+rest[:end+1], rest[end+1:]
	want := table(t, all)
	if *update {
		if err := os.WriteFile(operations, []byte(before+want+after), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(want, "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf("run go test -update (-code +docs):\n%s", diff)
	}
	checkLabels(t, all)
	checkExposed(t, g, string(data), all)
}

// checkLabels finds points with labels that their metric does not tell of.
func checkLabels(t *testing.T, all []telemetry.Metric) {
	t.Helper()
	for _, m := range all {
		for _, p := range m.Points {
			for _, l := range p.Labels {
				if !slices.Contains(m.Labels, l.Name) && !isOwn(&m) {
					t.Errorf("%s has the label %s", m.Name, l.Name)
				}
			}
		}
	}
}

// checkExposed finds what a scrape has and the documentation has not, but for the Go runtime's and the process'.
func checkExposed(t *testing.T, g *Gateway, docs string, all []telemetry.Metric) {
	t.Helper()
	text, _ := scrape(t, adminOf(g), "")
	seen := 0
	for line := range strings.SplitSeq(text, "\n") {
		name, found := strings.CutPrefix(line, "# TYPE ")
		if !found {
			continue
		}
		name, _, _ = strings.Cut(name, " ")
		seen++
		own := strings.HasPrefix(name, "sallyport_plugin_own_")
		if !strings.Contains(docs, "`"+name+"`") && !strings.HasPrefix(name, "go_") && !strings.HasPrefix(name, "process_") && !own {
			t.Errorf("%s is not documented", name)
		}
	}
	if seen < 50 || len(all) < 50 {
		t.Errorf("only %d metrics of %d were seen", seen, len(all))
	}
}

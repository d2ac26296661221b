package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"
)

// report is what a run brought, ready to be printed or kept.
type report struct {
	Time        time.Time `json:"time"`
	GoVersion   string    `json:"go"`
	Cores       int       `json:"cores"`
	Connections int       `json:"connections"`
	Seconds     int       `json:"seconds"`      // of load in a round
	AnswerBytes int       `json:"answer_bytes"` // of the backend's body
	MinBusy     float64   `json:"min_busy"`     // share of its core that a proxy must have used
	Rows        []row     `json:"rows"`
}

// row is one proxy: medians over the rounds that count, and of how they compare with the round of nginx, and of the plain gateway, of the
// same turn and protocol. Ratios are 0 when there is no turn in which both count.
type row struct {
	Name         string  `json:"name"`
	CPU          float64 `json:"cpu_us_per_request"`
	CPULeast     float64 `json:"cpu_us_per_request_least"`
	CPUMost      float64 `json:"cpu_us_per_request_most"`
	CPURatio     float64 `json:"cpu_to_nginx"`
	CPUToPlain   float64 `json:"cpu_to_sallyport"` // without filters and telemetry
	PerSecond    float64 `json:"requests_per_second"`
	PerSecRatio  float64 `json:"requests_to_nginx"`
	P50          float64 `json:"p50_us"`
	P99          float64 `json:"p99_us"`
	RoundsCount  int     `json:"rounds"`
	RoundsThrown int     `json:"rounds_thrown_away"`
}

func newReport(s settings, results []result) report {
	r := report{
		Time: time.Now().UTC(), GoVersion: runtime.Version(), Cores: runtime.NumCPU(),
		Connections: connections, Seconds: s.seconds, AnswerBytes: len(payload), MinBusy: s.minBusy,
	}
	peers, plain := map[protocol]result{}, map[protocol]result{}
	for _, one := range results {
		switch one.name {
		case "nginx" + string(one.protocol):
			peers[one.protocol] = one
		case "sallyport" + string(one.protocol):
			plain[one.protocol] = one
		}
	}
	for _, one := range results {
		next, peer := newRow(one), peers[one.protocol]
		next.CPURatio = one.ratioTo(peer, round.cpuPerRequest)
		next.CPUToPlain = one.ratioTo(plain[one.protocol], round.cpuPerRequest)
		next.PerSecRatio = one.ratioTo(peer, round.perSecond)
		r.Rows = append(r.Rows, next)
	}
	return r
}

func newRow(one result) row {
	least, most := one.rangeOf(round.cpuPerRequest)
	return row{
		Name:         one.name,
		CPU:          one.medianOf(round.cpuPerRequest),
		CPULeast:     least,
		CPUMost:      most,
		PerSecond:    one.medianOf(round.perSecond),
		P50:          one.medianOf(func(r round) float64 { return float64(r.p50.Nanoseconds()) / 1e3 }),
		P99:          one.medianOf(func(r round) float64 { return float64(r.p99.Nanoseconds()) / 1e3 }),
		RoundsCount:  len(one.counts),
		RoundsThrown: len(one.thrown),
	}
}

// print writes the table for people.
func (r report) print(w io.Writer) {
	fmt.Fprintf(w, "\nEach proxy alone on core %s; wrk -t1 -c%d -d%ds (for HTTP/2: h2load -c%d -m%d) and nginx with an answer of %d bytes on core %s.\nMedians; ratios are to nginx, and to the plain gateway, in the same turn, over the same protocol.\n\n",
		proxyCore, r.Connections, r.Seconds, h2Connections, h2Streams, r.AnswerBytes, loadCore)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(t, "proxy\tCPU µs/request\tleast–most\t× nginx\t× sallyport\trequests/s\t× nginx\tp50 µs\tp99 µs\trounds\tthrown away\t")
	for _, one := range r.Rows {
		if one.RoundsCount == 0 {
			fmt.Fprintf(t, "%s\t–\t–\t–\t–\t–\t–\t–\t–\t0\t%d\t\n", one.Name, one.RoundsThrown)
			continue
		}
		fmt.Fprintf(t, "%s\t%.2f\t%.2f–%.2f\t%s\t%s\t%.0f\t%s\t%s\t%s\t%d\t%d\t\n", one.Name, one.CPU, one.CPULeast, one.CPUMost,
			times(one.CPURatio), times(one.CPUToPlain), one.PerSecond, times(one.PerSecRatio), micros(one.P50), micros(one.P99), one.RoundsCount, one.RoundsThrown)
	}
	t.Flush()
	fmt.Fprintf(w, "\nA round in which the proxy used less than %.0f %% of its core is thrown away. Compare the ratios of one run, not\nfigures of different runs or machines.\n", 100*r.MinBusy)
}

func times(ratio float64) string {
	if ratio == 0 {
		return "–"
	}
	return fmt.Sprintf("%.2f", ratio)
}

// micros leaves out what the load did not tell.
func micros(value float64) string {
	if value == 0 {
		return "–"
	}
	return fmt.Sprintf("%.0f", value)
}

// writeJSON writes the same for programs.
func (r report) writeJSON(file string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(file, append(text, '\n'), 0o644)
}

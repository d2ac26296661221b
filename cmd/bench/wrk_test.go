package main

import (
	"testing"
	"time"
)

const wrkOutput = `Running 4s test @ http://127.0.0.1:19102/
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   583.62us  130.45us   2.83ms   86.74%
    Req/Sec   105.83k    11.24k  114.88k    82.50%
  Latency Distribution
     50%  556.00us
     75%  602.00us
     90%  699.00us
     99%    1.25ms
  420884 requests in 4.00s, 165.77MB read
`

func TestParseWrk(t *testing.T) {
	good := load{requests: 420884, elapsed: 4 * time.Second, p50: 556 * time.Microsecond, p99: 1250 * time.Microsecond}
	failing := good
	failing.failed = 1 + 2 + 3 + 4 + 500
	for _, c := range []struct {
		name, out string
		want      load
		bad       bool
	}{
		{"all well", wrkOutput + "Requests/sec: 105198.51\nTransfer/sec:     41.43MB\n", good, false},
		{"errors", wrkOutput + "  Socket errors: connect 1, read 2, write 3, timeout 4\n  Non-2xx or 3xx responses: 500\nRequests/sec: 1.00\n", failing, false},
		{"no total", "unable to connect to 127.0.0.1:1 Connection refused\n", load{}, true},
		{"no latency", "  420884 requests in 4.00s, 165.77MB read\n", load{}, true},
		{"nothing", "", load{}, true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := parseWrk(c.out)
			if (err != nil) != c.bad {
				t.Fatalf("got error %v", err)
			}
			if !c.bad && got != c.want {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
		})
	}
}

func TestParseH2load(t *testing.T) {
	const out = "finished in 5.01s, 23.60 req/s, 1.2MB/s\nrequests: 130 total, 128 started, 118 done, 117 succeeded, 1 failed, 0 errored, 0 timeout\n"
	got, err := parseH2load(out)
	if want := (load{requests: 118, elapsed: 5010 * time.Millisecond, failed: 1}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	if _, err := parseH2load("could not connect\n"); err == nil {
		t.Error("no total: got no error")
	}
}

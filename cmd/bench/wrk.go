package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// connections are kept alive by wrk's one thread throughout a round.
const connections = 64

// load is what wrk tells of one run.
type load struct {
	requests int64
	elapsed  time.Duration
	p50, p99 time.Duration
	failed   int64 // socket errors and answers other than 2xx and 3xx
}

var (
	wrkTotal   = regexp.MustCompile(`(?m)^\s*(\d+) requests in ([0-9.]+(?:us|ms|s|m|h)),`)
	wrkPercent = regexp.MustCompile(`(?m)^\s*(50|99)%\s+([0-9.]+(?:us|ms|s|m|h))$`)
	wrkSocket  = regexp.MustCompile(`Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)`)
	wrkStatus  = regexp.MustCompile(`Non-2xx or 3xx responses: (\d+)`)
)

// parseWrk reads the output of `wrk --latency`.
func parseWrk(out string) (load, error) {
	var l load
	total := wrkTotal.FindStringSubmatch(out)
	if total == nil {
		return l, fmt.Errorf("wrk's output has no total: %.200q", out)
	}
	var err error
	if l.requests, err = strconv.ParseInt(total[1], 10, 64); err != nil {
		return l, err
	}
	if l.elapsed, err = time.ParseDuration(total[2]); err != nil {
		return l, err
	}
	if l.p50, l.p99, err = parsePercentiles(out); err != nil {
		return l, err
	}
	for _, counts := range [][]string{wrkSocket.FindStringSubmatch(out), wrkStatus.FindStringSubmatch(out)} {
		for i := 1; i < len(counts); i++ {
			n, err := strconv.ParseInt(counts[i], 10, 64)
			if err != nil {
				return l, err
			}
			l.failed += n
		}
	}
	return l, nil
}

func parsePercentiles(out string) (p50, p99 time.Duration, err error) {
	found := wrkPercent.FindAllStringSubmatch(out, -1)
	if len(found) != 2 {
		return 0, 0, fmt.Errorf("wrk's output has no latency at 50%% and 99%%: %.200q", out)
	}
	if p50, err = time.ParseDuration(found[0][2]); err != nil {
		return 0, 0, err
	}
	p99, err = time.ParseDuration(found[1][2])
	return p50, p99, err
}

func runWrk(ctx context.Context, url string, seconds int) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "taskset", "-c", loadCore, "wrk", "-t1", fmt.Sprintf("-c%d", connections),
		fmt.Sprintf("-d%ds", seconds), "--latency", "-H", keyHeader+": "+key, url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("wrk: %w: %.200s", err, out)
	}
	return parseWrk(string(out))
}

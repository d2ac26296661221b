package main

import (
	"context"
	"fmt"
	"os/exec"
	"regexp"
	"strconv"
	"time"
)

// HTTP/2 is loaded with as many requests at once as HTTP/1.1 is, over fewer connections, as browsers and gRPC clients do.
const (
	h2Connections = 8
	h2Streams     = connections / h2Connections // at once, of each
)

var (
	h2loadTime  = regexp.MustCompile(`(?m)^finished in ([0-9.]+(?:us|ms|s|m|h)),`)
	h2loadTotal = regexp.MustCompile(`(?m)^requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded,`)
)

// parseH2load reads the output of h2load, which tells no percentiles.
func parseH2load(out string) (load, error) {
	var l load
	took, total := h2loadTime.FindStringSubmatch(out), h2loadTotal.FindStringSubmatch(out)
	if took == nil || total == nil {
		return l, fmt.Errorf("h2load's output has no total: %.200q", out)
	}
	var err error
	if l.elapsed, err = time.ParseDuration(took[1]); err != nil {
		return l, err
	}
	if l.requests, err = strconv.ParseInt(total[2], 10, 64); err != nil {
		return l, err
	}
	succeeded, err := strconv.ParseInt(total[3], 10, 64)
	l.failed = l.requests - succeeded
	return l, err
}

func runH2load(ctx context.Context, url string, seconds int) (load, error) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(seconds)*time.Second+30*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, "taskset", "-c", loadCore, "h2load", "-t1", fmt.Sprintf("-c%d", h2Connections),
		fmt.Sprintf("-m%d", h2Streams), fmt.Sprintf("-D%d", seconds), "-H", keyHeader+": "+key, url)
	out, err := cmd.CombinedOutput()
	if err != nil {
		return load{}, fmt.Errorf("h2load: %w: %.200s", err, out)
	}
	return parseH2load(string(out))
}

package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"
)

// process is a server that this program started and will stop.
type process struct {
	name     string
	protocol protocol
	address  string // where it answers
	cmd      *exec.Cmd
	log      string        // the file with what it printed
	ended    chan struct{} // closed when it has
}

// startProcess starts a contender's server on one core with its output in dir.
func startProcess(dir, core string, c contender, address string, s server) (*process, error) {
	log, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command("taskset", append([]string{"-c", core}, s.argv...)...)
	cmd.Env = append(os.Environ(), s.env...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	// A group of its own keeps a terminal's Ctrl-C from reaching it before us.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, fmt.Errorf("%s: %w", c.name, err)
	}
	p := &process{name: c.name, protocol: c.protocol, address: address, cmd: cmd, log: log.Name(), ended: make(chan struct{})}
	go func() {
		cmd.Wait()
		close(p.ended)
	}()
	return p, nil
}

// ready waits until the process answers a request as the backend does, for at most half a minute.
func (p *process) ready(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	var last error
	for {
		if last = p.probe(ctx); last == nil {
			return nil
		}
		select {
		case <-tick.C:
		case <-p.ended:
			return fmt.Errorf("%s ended at once: %s", p.name, p.said())
		case <-ctx.Done():
			return fmt.Errorf("%s does not answer: %w: %s", p.name, last, p.said())
		}
	}
}

// probeClient believes any certificate: it asks only servers that this program has started.
var probeClient = &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true}}

// probe sends the request that the load will consist of and compares the answer.
func (p *process) probe(ctx context.Context) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, p.protocol.url(p.address), nil)
	if err != nil {
		return err
	}
	req.Header.Set(keyHeader, key)
	req.Close = true
	resp, err := probeClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK || string(body) != payload {
		return fmt.Errorf("the answer is not the backend's: %s, %.300q", resp.Status, body)
	}
	return nil
}

// said is the end of what the process printed.
func (p *process) said() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(bytes.TrimSpace(text[max(0, len(text)-2000):]))
}

// stop ends the process, by force when it takes longer than five seconds.
func (p *process) stop() {
	p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
		syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
		<-p.ended
	}
}

// freeAddress is a loopback address that nobody listened on a moment ago.
func freeAddress() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

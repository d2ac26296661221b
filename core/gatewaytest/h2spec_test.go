package gatewaytest

import (
	"encoding/xml"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// TestH2spec runs h2spec against a gateway and, in the same run, against a bare net/http server: what the one fails, the other
// must fail, too. h2spec is a module of its own in testdata, so that what it needs is not what the gateway needs.
func TestH2spec(t *testing.T) {
	tool := buildH2spec(t)
	backend := Backend(t, Echo)
	g := Start(t, `
[upstreams.echo]
endpoints = ["`+backend+`"]
[[routes]]
name = "all"
path = "/*rest"
upstream = "echo"
`)
	ours, bare := make(chan map[string]bool), make(chan map[string]bool)
	address := bareHTTP2(t)
	go func() { bare <- h2spec(t, tool, address) }()
	go func() { ours <- h2spec(t, tool, g.Addr) }()
	failures, baseline := <-ours, <-bare
	for name := range failures {
		if !baseline[name] {
			t.Errorf("fails, which a bare net/http server does not: %s", name)
		}
	}
	t.Logf("the gateway fails %d cases, a bare net/http server %d", len(failures), len(baseline))
}

func buildH2spec(t *testing.T) string {
	t.Helper()
	tool := filepath.Join(t.TempDir(), "h2spec")
	build := exec.Command("go", "build", "-o", tool, "github.com/summerwind/h2spec/cmd/h2spec")
	build.Dir = filepath.Join("testdata", "h2spec")
	if out, err := build.CombinedOutput(); err != nil {
		if os.Getenv("CI") != "" {
			t.Fatalf("h2spec cannot be built: %v\n%s", err, out)
		}
		t.Skipf("h2spec cannot be built: %v\n%s", err, out)
	}
	return tool
}

// bareHTTP2 starts a net/http server without TLS and returns its address.
func bareHTTP2(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var protocols http.Protocols
	protocols.SetUnencryptedHTTP2(true)
	protocols.SetHTTP1(true)
	server := &http.Server{Handler: http.HandlerFunc(Echo), Protocols: &protocols, ErrorLog: log.New(io.Discard, "", 0)}
	go func() { _ = server.Serve(listener) }() // it ends with the Close below
	t.Cleanup(func() { server.Close() })
	return listener.Addr().String()
}

// h2spec returns the cases that the server at address fails.
func h2spec(t *testing.T, tool, address string) map[string]bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Error(err)
		return nil
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	// It fails when a case does: the report says which. It must wait longer than the second that net/http leaves between an error and
	// the close, which is what some cases look for.
	out, _ := exec.Command(tool, "-h", host, "-p", port, "-o", "3", "-j", report).CombinedOutput()
	text, err := os.ReadFile(report)
	if err != nil {
		t.Errorf("no report: %v\n%s", err, out)
		return nil
	}
	return failedCases(t, text)
}

// failedCases reads a report in JUnit's form.
func failedCases(t *testing.T, report []byte) map[string]bool {
	var suites struct {
		Suites []struct {
			Package string `xml:"package,attr"`
			Cases   []struct {
				Name    string    `xml:"classname,attr"`
				Failure *struct{} `xml:"failure"`
				Error   *struct{} `xml:"error"`
			} `xml:"testcase"`
		} `xml:"testsuite"`
	}
	if err := xml.Unmarshal(report, &suites); err != nil {
		t.Error(err)
		return nil
	}
	total, failed := 0, map[string]bool{}
	for _, suite := range suites.Suites {
		for _, c := range suite.Cases {
			total++
			if c.Failure != nil || c.Error != nil {
				failed[suite.Package+" "+c.Name] = true
			}
		}
	}
	if total < 100 {
		t.Errorf("only %d cases were run", total)
	}
	return failed
}

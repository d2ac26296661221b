package gatewaytest

import (
	"crypto/tls"
	"encoding/xml"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// TestH2spec runs h2spec against a gateway and, in the same run, against a bare net/http server: what the one fails, the other
// must fail, too. h2spec is a module of its own in testdata, so that what it needs is not what the gateway needs.
func TestH2spec(t *testing.T) {
	tool := buildH2spec(t)
	routes := routes(Backend(t, Echo), allToB)
	pair := certs.New(t, "127.0.0.1")
	t.Run("h2c", func(t *testing.T) {
		t.Parallel() // most of the time it waits for what must not come
		compareH2spec(t, tool, Start(t, routes).Addr, bareHTTP2(t, nil))
	})
	t.Run("TLS", func(t *testing.T) {
		t.Parallel()
		compareH2spec(t, tool, Start(t, secured(pair, "")+routes).Addr, bareHTTP2(t, pair), "-t", "-k")
	})
}

// compareH2spec fails the test for the cases that the gateway fails and the bare server does not.
func compareH2spec(t *testing.T, tool, gateway, server string, flags ...string) {
	ours, bare := make(chan map[string]bool), make(chan map[string]bool)
	go func() { bare <- h2spec(t, tool, server, flags...) }()
	go func() { ours <- h2spec(t, tool, gateway, flags...) }()
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
		if os.Getenv("SALLYPORT_CI") != "" {
			t.Fatalf("h2spec cannot be built: %v\n%s", err, out)
		}
		t.Skipf("h2spec cannot be built: %v\n%s", err, out)
	}
	return tool
}

// bareHTTP2 starts a net/http server, over TLS if it is given a certificate, and returns its address.
func bareHTTP2(t *testing.T, pair *certs.Pair) string {
	t.Helper()
	protocol, cert := "h2c", (*tls.Certificate)(nil)
	if pair != nil {
		protocol, cert = "h2", &pair.TLS
	}
	return backendOf(t, protocol, cert, Echo).Listener.Addr().String()
}

// h2spec returns the cases that the server at address fails.
func h2spec(t *testing.T, tool, address string, flags ...string) map[string]bool {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		t.Error(err)
		return nil
	}
	report := filepath.Join(t.TempDir(), "report.xml")
	// It fails when a case does: the report says which. It must wait longer than the second that net/http leaves between an error and
	// the close, which is what some cases look for.
	out, _ := exec.Command(tool, append(flags, "-h", host, "-p", port, "-o", "3", "-j", report)...).CombinedOutput()
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

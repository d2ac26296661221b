package gatewaytest

import (
	"bytes"
	"fmt"
	"net"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/sallyport/sallyport/core/gatewaytest/free"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// dnsmasq is a real DNS server on loopback. Its records are read again by publish.
type dnsmasq struct {
	address string
	hosts   string // the file of its addresses
	cmd     *exec.Cmd
}

func startDnsmasq(t *testing.T, hosts string, args ...string) *dnsmasq {
	t.Helper()
	program, err := exec.LookPath("dnsmasq")
	if err != nil {
		wat.Missing(t, "dnsmasq (package dnsmasq-base)")
	}
	d := &dnsmasq{address: free.Address(t), hosts: filepath.Join(t.TempDir(), "hosts")}
	putFile(t, d.hosts, hosts)
	_, port, _ := net.SplitHostPort(d.address)
	var said bytes.Buffer
	d.cmd = exec.Command(program, append([]string{
		"--no-daemon", "--port=" + port, "--listen-address=127.0.0.1", "--bind-interfaces", "--conf-file=/dev/null", "--no-resolv", "--no-hosts",
		"--no-poll", "--addn-hosts=" + d.hosts, "--local=/test/", "--local-ttl=1", "--pid-file=",
	}, args...)...)
	d.cmd.Stdout, d.cmd.Stderr = &said, &said
	if err := d.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		d.kill()
		if t.Failed() {
			t.Logf("dnsmasq: %s", said.String())
		}
	})
	Until(t, "dnsmasq listens", func() bool {
		c, err := net.Dial("tcp", d.address)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
	return d
}

func (d *dnsmasq) publish(t *testing.T, hosts string) {
	t.Helper()
	putFile(t, d.hosts, hosts)
	signal(t, d.cmd.Process, syscall.SIGHUP)
}

func (d *dnsmasq) kill() {
	_ = d.cmd.Process.Kill() // it may have ended
	_ = d.cmd.Wait()         // or have been waited for
}

// Traffic follows the addresses of a name, and no request is lost; when the DNS is gone nothing changes, and reloads keep what was found.
func TestDNSEndpoints(t *testing.T) {
	_, port, _ := net.SplitHostPort(free.Address(t))
	one, two, three := named(t, "one", "127.0.0.2:"+port), named(t, "two", "127.0.0.3:"+port), named(t, "three", "127.0.0.4:"+port)
	d := startDnsmasq(t, "127.0.0.2 b.test\n")
	toml := fmt.Sprintf("[upstreams.b.discover]\ndns = \"b.test:%s\"\nresolver = %q\nmin_ttl = \"100ms\"\nmax_ttl = \"200ms\"\n", port, d.address)
	g := Start(t, toml+allToB)
	load := startCensus(t, g)
	defer load.end()
	load.until(t, "one")
	d.publish(t, "127.0.0.3 b.test\n127.0.0.4 b.test\n")
	load.until(t, "two", "three")
	expectEndpoints(t, g, two, three)
	d.publish(t, "127.0.0.3 other.test\n") // the name is gone
	Until(t, "the failure is shown", func() bool { return strings.Contains(g.Status().Discovery["b"].Error, "no address") })
	load.until(t, "two", "three")
	d.publish(t, "127.0.0.2 b.test\n")
	load.until(t, "one")

	d.kill()
	Until(t, "the failure is shown", func() bool { return g.Status().Discovery["b"].Error != "" })
	load.until(t, "one")
	for _, change := range []string{"timeout = \"500ms\"\n", "timeout = \"400ms\"\n[upstreams.b]\nretries = 0\n"} {
		if err := g.ApplyText(toml + change + allToB); err != nil {
			t.Fatal(err)
		}
		load.until(t, "one")
	}
	Until(t, "the failure is shown again", func() bool { return g.Status().Discovery["b"].Error != "" }) // this source knows former answers ahead of it
	if s := g.Status().Discovery["b"]; s.Kind != "dns" || s.Name != "b.test:"+port || len(s.Endpoints) != 1 || s.Endpoints[0].Address != one {
		t.Errorf("status %+v", s)
	}
}

// dnsmasq's own ways: AAAA, SRV with and without addresses beside them, aliases, answers that need TCP, how long there is nothing.
func TestDnsmasq(t *testing.T) {
	var hosts strings.Builder
	hosts.WriteString("10.0.0.1 one.test\n::1 one.test\n10.0.0.2 two.test\n")
	many := []string{}
	for i := range 200 {
		fmt.Fprintf(&hosts, "10.1.0.%d many.test\n", i)
		many = append(many, fmt.Sprintf("10.1.0.%d:80", i))
	}
	d := startDnsmasq(t, hosts.String(), "--cname=alias.test,two.test", "--local=/two/",
		"--srv-host=_http._tcp.s.test,one.test,8080,10,60", "--srv-host=_http._tcp.s.test,two.test,8081,20,0")
	for _, c := range []struct {
		name, source string
		want         []string
	}{
		{"both families", `dns = "one.test:80"`, []string{"10.0.0.1:80", "[::1]:80"}},
		{"IPv6", `dns = "one.test:80", family = "ipv6"`, []string{"[::1]:80"}},
		{"alias", `dns = "alias.test:80"`, []string{"10.0.0.2:80"}},
		{"search", `dns = "two:80", search = ["x.test", "test"]`, []string{"10.0.0.2:80"}},
		{"SRV", `srv = "_http._tcp.s.test"`, []string{"10.0.0.1:8080", "10.0.0.2:8081", "[::1]:8080"}},
		{"by TCP", `dns = "many.test:80"`, many},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := Start(t, fmt.Sprintf("[upstreams.b]\ndiscover = { %s, resolver = %q, timeout = \"10s\" }\n", c.source, d.address)+allToB)
			expectEndpoints(t, g, c.want...)
			s := g.Status().Discovery["b"]
			if s.Changes != 1 || s.Error != "" || time.Since(s.Success) > time.Minute {
				t.Errorf("status %+v", s)
			}
			if c.name == "SRV" {
				for _, e := range s.Endpoints {
					if wantLater := e.Address == "10.0.0.2:8081"; (e.Priority == 1) != wantLater {
						t.Errorf("%+v", e)
					}
				}
			}
		})
	}
}

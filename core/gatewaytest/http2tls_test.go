package gatewaytest

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/http2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/interop"
	testgrpc "google.golang.org/grpc/interop/grpc_testing"

	"github.com/sallyport/sallyport/core/gatewaytest/certs"
	"github.com/sallyport/sallyport/core/gatewaytest/wat"
)

// TestALPN: a client gets what it prefers of what the listener speaks, and both speak it.
func TestALPN(t *testing.T) {
	pair := certs.New(t, "a.example")
	backend := Backend(t, Echo)
	both := Start(t, secured(pair, "")+routes(backend, allToB))
	only1 := Start(t, strings.Replace(secured(pair, ""), "tls =", "http2 = false, tls =", 1)+routes(backend, allToB))
	for _, c := range []struct {
		g       *Gateway
		offered []string
		want    string
	}{
		{both, []string{"h2", "http/1.1"}, "h2"}, {both, []string{"h2"}, "h2"}, {both, []string{"http/1.1"}, "http/1.1"}, {both, nil, ""},
		{only1, []string{"h2", "http/1.1"}, "http/1.1"}, {only1, []string{"http/1.1"}, "http/1.1"}, {only1, nil, ""},
	} {
		nc := dialTLS(t, c.g.Addr, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, NextProtos: c.offered})
		if got := nc.ConnectionState().NegotiatedProtocol; got != c.want {
			t.Errorf("offered %q: got %q, want %q", c.offered, got, c.want)
		}
		var body string
		if c.want == "h2" {
			f := newFrameClient(t, nc)
			f.get(1, "https", "a.example", "/")
			body = f.answer(1).content
		} else {
			_, body = askOver(t, nc, bufio.NewReader(nc), fromA)
		}
		if !strings.Contains(body, "X-Forwarded-Proto: https\n") || !strings.HasPrefix(body, "GET / ") {
			t.Errorf("offered %q: got %q", c.offered, body)
		}
	}
	nc, err := tls.Dial("tcp", only1.Addr, &tls.Config{ServerName: "a.example", RootCAs: pair.Pool, NextProtos: []string{"h2"}})
	if err == nil {
		nc.Close()
		t.Error("a client that speaks HTTP/2 only was taken")
	}
}

// TestStreamsLimit: a client learns of the limit, and what goes beyond it is refused as not processed.
func TestStreamsLimit(t *testing.T) {
	held := make(chan struct{})
	g := Start(t, fmt.Sprintf("[server]\nlisten = [{ address = %q, limits = { streams = 2 } }]\n", listen)+
		routes(Backend(t, func(http.ResponseWriter, *http.Request) { <-held }), allToB))
	c := dialFrames(t, g, "")
	for id := uint32(1); id <= 5; id += 2 {
		c.get(id, "http", "a", "/")
	}
	if got := c.answer(5); got.reset != "REFUSED_STREAM" && got.reset != "PROTOCOL_ERROR" {
		t.Errorf("got %+v", got)
	}
	if got := c.settings[http2.SettingMaxConcurrentStreams]; got != 2 {
		t.Errorf("told of %d streams", got)
	}
	close(held)
	for id := uint32(1); id <= 3; id += 2 {
		if got := c.answer(id); got.status != "200" {
			t.Errorf("got %+v", got)
		}
	}
}

// TestMisdirectedOverHTTP2: a client that takes a connection for another host's, too, is sent away, and only with that request.
func TestMisdirectedOverHTTP2(t *testing.T) {
	a, b := certs.New(t, "a.example", "also.example"), certs.New(t, "b.example")
	server := fmt.Sprintf("[server]\nlisten = [{ address = %q, tls = { certificates = [{ cert = %q, key = %q }, { cert = %q, key = %q }] } }]\n",
		listen, a.Cert, a.Key, b.Cert, b.Key)
	g := Start(t, server+routes(Backend(t, Echo), allToB))
	c := dialFrames(t, g, "a.example", &tls.Config{RootCAs: a.Pool})
	for i, want := range []struct{ host, status string }{
		{"a.example", "200"}, {"b.example", "421"}, {"a.example", "200"}, {"also.example:443", "200"}, {"b.example:443", "421"},
		{"A.Example", "200"}, {"c.example", "421"}, {"also.example", "200"},
	} {
		id := uint32(2*i + 1)
		c.get(id, "https", want.host, "/")
		if got := c.answer(id); got.status != want.status || want.status == "421" && got.field("content-type") != "application/problem+json" {
			t.Errorf("%s: got %+v, want %s", want.host, got, want.status)
		}
	}
}

// TestClientCertGoesUpstreamOverHTTP2: each stream has the field of the verified client, and never one of its own.
func TestClientCertGoesUpstreamOverHTTP2(t *testing.T) {
	pair, root := certs.New(t, "a.example"), certs.NewAuthority(t)
	between := root.Between(t)
	direct, chained := root.Issue(t, "direct"), between.Issue(t, "chained")
	seen := make(chan []string, 1)
	addr := Backend(t, func(_ http.ResponseWriter, r *http.Request) {
		var got []string
		for name, values := range r.Header {
			if strings.Contains(strings.ToLower(strings.ReplaceAll(name, "_", "-")), "client-cert") {
				got = append(got, name+": "+strings.Join(values, " | "))
			}
		}
		slices.Sort(got)
		seen <- got
	})
	of := func(der []byte) string { return ":" + base64.StdEncoding.EncodeToString(der) + ":" }
	chain := "Client-Cert-Chain: " + of(between.DER())
	for _, c := range []struct {
		auth   string
		client *certs.Pair
		want   []string
	}{
		{"none", direct, nil},
		{"request", direct, nil},
		{"verify_if_given", nil, nil},
		{"verify_if_given", direct, []string{"Client-Cert: " + of(direct.TLS.Certificate[0])}},
		{"require", chained, []string{chain, "Client-Cert: " + of(chained.TLS.Certificate[0])}},
	} {
		more := fmt.Sprintf(", client_auth = %q", c.auth)
		if c.auth != "none" && c.auth != "request" {
			more += fmt.Sprintf(", client_ca = %q", root.File)
		}
		g := Start(t, secured(pair, more)+routes(addr, allToB))
		config := &tls.Config{RootCAs: pair.Pool}
		if c.client != nil {
			config.Certificates = []tls.Certificate{c.client.TLS}
		}
		f := dialFrames(t, g, "a.example", config)
		for id := uint32(1); id <= 5; id += 2 {
			f.get(id, "https", "a.example", "/", "client-cert", ":Zm9yZ2Vk:", "client_cert", ":Zm9yZ2Vk:", "client-cert-chain", ":Zm9yZ2Vk:", "client_cert-chain", "x")
			if got := f.answer(id); got.status != "200" {
				t.Fatalf("%s: got %+v", c.auth, got)
			}
			if got := <-seen; !slices.Equal(got, c.want) {
				t.Errorf("%s:\ngot  %q\nwant %q", c.auth, got, c.want)
			}
		}
		// The fields are no trailers either: who reads them takes them for the gateway's word.
		f.head(7, false, ":method", "POST", ":scheme", "https", ":authority", "a.example", ":path", "/", "trailer", "client-cert")
		f.head(7, true, "client-cert", ":Zm9yZ2Vk:")
		f.answer(7)
		if got := <-seen; !slices.Equal(got, c.want) {
			t.Errorf("%s, behind the content:\ngot  %q\nwant %q", c.auth, got, c.want)
		}
	}
	g := Start(t, routes(addr, allToB))
	f := dialFrames(t, g, "")
	f.get(1, "https", "a.example", "/", "client-cert", ":Zm9yZ2Vk:", "client_cert_chain", "x")
	f.answer(1)
	if got := <-seen; got != nil {
		t.Errorf("without TLS: got %q", got)
	}
}

func TestRedirectHTTPSOverHTTP2(t *testing.T) {
	g := Start(t, fmt.Sprintf("[server]\nlisten = [{ address = %q, redirect_https = 8443 }]\n", listen)+hello)
	c := dialFrames(t, g, "")
	for i, one := range []struct{ method, host, path, status, location string }{
		{"GET", "A.example:8080", "/a/../b%20c?x=1&y", "308", "https://a.example:8443/b%20c?x=1&y"},
		{"POST", "[::1]:80", "/x", "308", "https://[::1]:8443/x"},
		{"GET", "a.example", "//evil.example/", "308", "https://a.example:8443/evil.example/"},
		{"OPTIONS", "a.example", "*", "400", ""},
	} {
		id := uint32(2*i + 1)
		// The client's word for the scheme changes nothing: the connection is plain.
		c.head(id, true, ":method", one.method, ":scheme", "https", ":authority", one.host, ":path", one.path)
		if got := c.answer(id); got.status != one.status || got.field("location") != one.location {
			t.Errorf("%s %s: got %+v, want %s %q", one.method, one.path, got, one.status, one.location)
		}
	}
}

// TestCertificatesAreSwappedUnderHTTP2: an open connection goes on with the certificate that it began with.
func TestCertificatesAreSwappedUnderHTTP2(t *testing.T) {
	old, next := certs.New(t, "a.example"), certs.New(t, "b.example")
	held := make(chan struct{})
	g := Start(t, secured(old, "")+routes(Backend(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/held" {
			<-held
		}
		Echo(w, r)
	}), allToB))
	c := dialFrames(t, g, "a.example", &tls.Config{RootCAs: old.Pool})
	c.get(1, "https", "a.example", "/held")
	Until(t, "a request runs", func() bool { return g.inFlight() == 1 })
	replace(t, next.Cert, old.Cert)
	replace(t, next.Key, old.Key)
	if err := g.Reload(); err != nil {
		t.Fatal(err)
	}
	c.get(3, "https", "a.example", "/")
	if got := c.answer(3); got.status != "200" {
		t.Errorf("after the swap: got %+v", got)
	}
	c.get(5, "https", "b.example", "/")
	if got := c.answer(5); got.status != "421" {
		t.Errorf("for the new certificate's host: got %+v", got)
	}
	close(held)
	if got := c.answer(1); got.status != "200" {
		t.Errorf("the request from before: got %+v", got)
	}
	now := dialFrames(t, g, "b.example", &tls.Config{RootCAs: next.Pool})
	now.get(1, "https", "b.example", "/")
	if got := now.answer(1); got.status != "200" {
		t.Errorf("a new connection: got %+v", got)
	}
}

// TestGRPCOverTLS has calls secured on both sides of the gateway.
func TestGRPCOverTLS(t *testing.T) {
	front, back := certs.New(t, "a.example"), certs.New(t, "127.0.0.1")
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := grpc.NewServer(grpc.Creds(credentials.NewServerTLSFromCert(&back.TLS)))
	testgrpc.RegisterTestServiceServer(server, interop.NewTestServer())
	served := make(chan struct{})
	go func() { defer close(served); _ = server.Serve(l) }() // it ends with the Stop below
	t.Cleanup(func() { server.Stop(); <-served })
	g := Start(t, secured(front, "")+upstreamTOML(l.Addr().String(), "h2", fmt.Sprintf("{ ca = %q }", back.CA), "timeout = \"1m\"\n"))
	conn, err := grpc.NewClient(g.Addr, grpc.WithDisableRetry(),
		grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{RootCAs: front.Pool, ServerName: "a.example"})))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	client := testgrpc.NewTestServiceClient(conn)
	for name, do := range map[string]func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
		"empty_unary": interop.DoEmptyUnaryCall, "large_unary": interop.DoLargeUnaryCall, "client_streaming": interop.DoClientStreaming,
		"server_streaming": interop.DoServerStreaming, "ping_pong": interop.DoPingPong, "cancel_after_first_response": interop.DoCancelAfterFirstResponse,
		"status_code_and_message": interop.DoStatusCodeAndMessage, "custom_metadata": interop.DoCustomMetadata,
	} {
		t.Run(name, func(t *testing.T) {
			defer survive(t)
			do(patient(t), client)
		})
	}
}

// TestCurlOverUnixSocket: what a foreign client says of others is believed only if the socket's peers are trusted.
func TestCurlOverUnixSocket(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		wat.Missing(t, "curl")
	}
	socket := filepath.Join(t.TempDir(), "s.sock")
	backend := Backend(t, Echo)
	for _, c := range []struct {
		more, want string
		http2      bool
	}{
		{"", "", false}, {"", "", true},
		{`, trusted_proxies = ["unix"]`, "X-Forwarded-For: 192.0.2.1\n", false},
		{`, trusted_proxies = ["unix"]`, "X-Forwarded-For: 192.0.2.1\n", true},
	} {
		g := newIn(t, t.TempDir())
		if err := g.ApplyText(fmt.Sprintf("[server]\nlisten = [{ address = \"unix:%s\"%s }]\n", socket, c.more) + routes(backend, allToB)); err != nil {
			t.Fatal(err)
		}
		args := []string{"-sS", "--unix-socket", socket, "-H", "X-Forwarded-For: 192.0.2.1", "-H", "X-Forwarded-Proto: https", "http://a.example/x"}
		if c.http2 {
			args = append(args, "--http2-prior-knowledge")
		}
		out, err := exec.Command(curl, args...).CombinedOutput()
		got := string(out)
		if err != nil || !strings.HasPrefix(got, "GET /x host="+backend) && !strings.HasPrefix(got, "GET /x host=a.example") {
			t.Errorf("%v: %v, got %s", c, err, got)
		}
		if strings.Contains(got, "X-Forwarded-Proto: https\n") != (c.want != "") || strings.Contains(got, "X-Forwarded-For") != (c.want != "") || !strings.Contains(got, c.want) {
			t.Errorf("%v: got %s", c, got)
		}
		g.stop()
	}
}

// TestCurlOverHTTP2AndTLS has a foreign client send and fetch much.
func TestCurlOverHTTP2AndTLS(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		wat.Missing(t, "curl")
	}
	pair := certs.New(t, "a.example")
	g := Start(t, secured(pair, "")+routes(Backend(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) }), allToB))
	_, port, _ := net.SplitHostPort(g.Addr)
	content := strings.Repeat("0123456789", 100_000)
	cmd := exec.Command(curl, "-sS", "--http2", "--cacert", pair.CA, "--resolve", "a.example:"+port+":127.0.0.1", "-w", "%{http_version}",
		"--data-binary", "@-", "https://a.example:"+port+"/x")
	cmd.Stdin = strings.NewReader(content)
	got, err := cmd.CombinedOutput()
	if err != nil || string(got) != content+"2" {
		t.Errorf("%v, got %d bytes: %.200s", err, len(got), got)
	}
}

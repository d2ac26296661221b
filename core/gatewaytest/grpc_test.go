package gatewaytest

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/grpclog"
	"google.golang.org/grpc/interop"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/sallyport/sallyport/core/gatewaytest/free"

	testgrpc "google.golang.org/grpc/interop/grpc_testing"
)

// caller is a server that calls end up at: gRPC's own test server, but for bidirectional streams where duplex says otherwise.
type caller struct {
	testgrpc.TestServiceServer
	duplex func(testgrpc.TestService_FullDuplexCallServer) error
}

func (c *caller) FullDuplexCall(stream testgrpc.TestService_FullDuplexCallServer) error {
	if c.duplex != nil {
		return c.duplex(stream)
	}
	return c.TestServiceServer.FullDuplexCall(stream)
}

// serveGRPC starts a gRPC server for the test.
func serveGRPC(t testing.TB, duplex func(testgrpc.TestService_FullDuplexCallServer) error) (*grpc.Server, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := grpc.NewServer()
	testgrpc.RegisterTestServiceServer(s, &caller{interop.NewTestServer(), duplex})
	served := make(chan struct{})
	go func() {
		defer close(served)
		_ = s.Serve(l)
	}()
	t.Cleanup(func() { s.Stop(); <-served })
	return s, l.Addr().String()
}

// dialGRPC returns a client of the gateway that never retries by itself.
func dialGRPC(t testing.TB, addr string) *grpc.ClientConn {
	t.Helper()
	c, err := grpc.NewClient(addr, grpc.WithTransportCredentials(insecure.NewCredentials()), grpc.WithDisableRetry())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// calls are an upstream that gRPC calls go to, and a route to it.
func calls(backend, more string) string {
	return fmt.Sprintf("[upstreams.b]\nendpoints = [%q]\nprotocol = \"h2c\"\n[[routes]]\nname = \"calls\"\npath = \"/*rest\"\nupstream = \"b\"\n%s", backend, more)
}

// patient ends a call that hangs, so that its test fails instead.
func patient(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

// refusing turns what gRPC's interoperability cases do on failure, which is to end the process, into a panic.
type refusing struct{ grpclog.LoggerV2 }

func (refusing) Fatal(args ...any)                 { panic(fmt.Sprint(args...)) }
func (refusing) Fatalln(args ...any)               { panic(fmt.Sprint(args...)) }
func (refusing) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

// survive fails the test with what a case has panicked with.
func survive(t *testing.T) {
	if cause := recover(); cause != nil {
		t.Errorf("%v", cause)
	}
}

// TestGRPCInteroperability runs gRPC's own cases through the gateway, with a plugin and native filters in the chain.
func TestGRPCInteroperability(t *testing.T) {
	grpclog.SetLoggerV2(refusing{grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)})
	dir := t.TempDir()
	install(t, dir, "writes", "writes")
	_, backend := serveGRPC(t, nil)
	g := StartIn(t, dir, calls(backend, `timeout = "1m"
filters = ["writes", { use = "ratelimit", rate = "1000000/s" }, { use = "headers", request = { set = { X-Set = "1" } }, response = { add = { X-Passed = "1" } } }]
`))
	conn := dialGRPC(t, g.Addr)
	client := testgrpc.NewTestServiceClient(conn)
	cases := map[string]func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
		"empty_unary": interop.DoEmptyUnaryCall, "large_unary": interop.DoLargeUnaryCall, "client_streaming": interop.DoClientStreaming,
		"server_streaming": interop.DoServerStreaming, "ping_pong": interop.DoPingPong, "empty_stream": interop.DoEmptyStream,
		"timeout_on_sleeping_server": interop.DoTimeoutOnSleepingServer, "cancel_after_begin": interop.DoCancelAfterBegin,
		"cancel_after_first_response": interop.DoCancelAfterFirstResponse, "status_code_and_message": interop.DoStatusCodeAndMessage,
		"special_status_message": interop.DoSpecialStatusMessage, "custom_metadata": interop.DoCustomMetadata,
		"unimplemented_service": func(ctx context.Context, _ testgrpc.TestServiceClient, _ ...grpc.CallOption) {
			interop.DoUnimplementedService(ctx, testgrpc.NewUnimplementedServiceClient(conn))
		},
		"unimplemented_method": func(ctx context.Context, _ testgrpc.TestServiceClient, _ ...grpc.CallOption) {
			interop.DoUnimplementedMethod(ctx, conn)
		},
	}
	for name, do := range cases {
		t.Run(name, func(t *testing.T) {
			defer survive(t)
			for range 3 { // the connections are kept: a case must leave nothing behind for the next
				do(patient(t), client)
			}
		})
	}
}

// TestGRPCServerEndsAStreamEarly: a client that still has much to say learns the status.
func TestGRPCServerEndsAStreamEarly(t *testing.T) {
	_, backend := serveGRPC(t, func(stream testgrpc.TestService_FullDuplexCallServer) error {
		if _, err := stream.Recv(); err != nil {
			return err
		}
		if err := stream.Send(&testgrpc.StreamingOutputCallResponse{}); err != nil {
			return err
		}
		return status.Error(codes.Aborted, "enough")
	})
	g := Start(t, calls(backend, ""))
	stream := duplex(t, g, patient(t))
	say(t, stream, 0)
	if _, err := stream.Recv(); err != nil {
		t.Fatal(err)
	}
	Until(t, "sending fails", func() bool {
		return stream.Send(&testgrpc.StreamingOutputCallRequest{Payload: &testgrpc.Payload{Body: make([]byte, 1000)}}) == io.EOF
	})
	if _, err := stream.Recv(); status.Code(err) != codes.Aborted || status.Convert(err).Message() != "enough" {
		t.Errorf("got %v, want Aborted: enough", err)
	}
}

func duplex(t *testing.T, g *Gateway, ctx context.Context) testgrpc.TestService_FullDuplexCallClient {
	t.Helper()
	stream, err := testgrpc.NewTestServiceClient(dialGRPC(t, g.Addr)).FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return stream
}

// say sends a message of some bytes.
func say(t *testing.T, stream testgrpc.TestService_FullDuplexCallClient, size int) {
	t.Helper()
	if err := stream.Send(&testgrpc.StreamingOutputCallRequest{Payload: &testgrpc.Payload{Body: make([]byte, size)}}); err != nil {
		t.Fatal(err)
	}
}

// greeter is a server's side of a call that answers the first message, if it is to, and then waits until the call is cancelled.
type greeter struct {
	answers   bool
	began     chan time.Duration // what is left of the call's deadline then
	cancelled chan error
}

func newGreeter(answers bool) *greeter {
	return &greeter{answers, make(chan time.Duration, 1), make(chan error, 1)}
}

func (g *greeter) serve(stream testgrpc.TestService_FullDuplexCallServer) error {
	deadline, _ := stream.Context().Deadline()
	if _, err := stream.Recv(); err != nil {
		return err
	}
	if g.answers {
		if err := stream.Send(&testgrpc.StreamingOutputCallResponse{}); err != nil {
			return err
		}
	}
	g.began <- time.Until(deadline)
	<-stream.Context().Done()
	g.cancelled <- stream.Context().Err()
	// Not nil: the server may know the deadline to be over before the gateway does, and would tell the client that all was well.
	return status.FromContextError(stream.Context().Err()).Err()
}

// begin starts a call and returns when the greeter waits for its end.
func (g *greeter) begin(t *testing.T, gw *Gateway, ctx context.Context) (stream testgrpc.TestService_FullDuplexCallClient, left time.Duration) {
	t.Helper()
	stream = duplex(t, gw, ctx)
	say(t, stream, 10)
	if g.answers {
		if _, err := stream.Recv(); err != nil {
			t.Fatal(err)
		}
	}
	return stream, wait(t, g.began)
}

func TestGRPCClientCancels(t *testing.T) {
	for _, answers := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered=%v", answers), func(t *testing.T) {
			greeter := newGreeter(answers)
			_, backend := serveGRPC(t, greeter.serve)
			g := Start(t, calls(backend, ""))
			ctx, cancel := context.WithCancel(patient(t))
			defer cancel()
			greeter.begin(t, g, ctx)
			cancel()
			wait(t, greeter.cancelled)
			Until(t, "nothing is in flight", func() bool { return g.Status().Upstreams["b"][0].Active == 0 })
		})
	}
}

// wait returns what comes from a channel, and fails the test if nothing does.
func wait[T any](t *testing.T, c <-chan T) (got T) {
	t.Helper()
	select {
	case got = <-c:
	case <-time.After(time.Minute):
		t.Fatal("waited in vain")
	}
	return got
}

func TestGRPCServerDies(t *testing.T) {
	for _, answers := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered=%v", answers), func(t *testing.T) {
			greeter := newGreeter(answers)
			server, backend := serveGRPC(t, greeter.serve)
			g := Start(t, calls(backend, ""))
			stream, _ := greeter.begin(t, g, patient(t))
			server.Stop()
			if _, err := stream.Recv(); status.Code(err) != codes.Unavailable {
				t.Errorf("got %v, want Unavailable", err)
			}
		})
	}
}

// TestGRPCDeadlines: the route's timeout bounds the whole call, and the server learns what is left of it.
func TestGRPCDeadlines(t *testing.T) {
	for _, answers := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered=%v", answers), func(t *testing.T) {
			greeter := newGreeter(answers)
			_, backend := serveGRPC(t, greeter.serve)
			g := Start(t, calls(backend, "timeout = \"3s\"\n")) // long enough for the call to begin on a busy machine
			stream, left := greeter.begin(t, g, patient(t))     // which waits for a minute
			if _, err := stream.Recv(); status.Code(err) != codes.DeadlineExceeded {
				t.Errorf("got %v, want DeadlineExceeded", err)
			}
			wait(t, greeter.cancelled)
			if left <= 0 || left > 3*time.Second {
				t.Errorf("the server was told %v, want what is left of 3s", left)
			}
		})
	}
}

// TestGRPCDeadlineOfABusyStream: it is no matter of silence.
func TestGRPCDeadlineOfABusyStream(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, "timeout = \"300ms\"\n"))
	stream := duplex(t, g, patient(t))
	ping := &testgrpc.StreamingOutputCallRequest{ResponseParameters: []*testgrpc.ResponseParameters{{Size: 100}}}
	var err error
	for err == nil {
		if err = stream.Send(ping); err == nil || err == io.EOF {
			_, err = stream.Recv()
		}
	}
	if status.Code(err) != codes.DeadlineExceeded {
		t.Errorf("got %v, want DeadlineExceeded", err)
	}
}

// TestGRPCMaxBody: a stream that grows past the route's bound ends, whether it was being answered or not.
func TestGRPCMaxBody(t *testing.T) {
	for _, answers := range []bool{false, true} {
		t.Run(fmt.Sprintf("answered=%v", answers), func(t *testing.T) {
			greeter := newGreeter(answers)
			_, backend := serveGRPC(t, greeter.serve)
			g := Start(t, calls(backend, "max_body = \"1KiB\"\n"))
			stream, _ := greeter.begin(t, g, patient(t))
			say(t, stream, 2000)
			if _, err := stream.Recv(); status.Code(err) != codes.ResourceExhausted {
				t.Errorf("got %v, want ResourceExhausted", err)
			}
			wait(t, greeter.cancelled)
		})
	}
}

// TestGRPCReloads: calls that are under way go on through reloads that change their route, and so do those that begin meanwhile.
func TestGRPCReloads(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, ""))
	client := testgrpc.NewTestServiceClient(dialGRPC(t, g.Addr))
	ctx := patient(t)
	stream, err := client.FullDuplexCall(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		say(t, stream, i)
		if err := g.ApplyText(calls(backend, fmt.Sprintf("timeout = \"%ds\"\n", 60+i))); err != nil {
			t.Fatal(err)
		}
		if _, err := client.EmptyCall(ctx, &testgrpc.Empty{}); err != nil {
			t.Errorf("after reload %d: %v", i, err)
		}
	}
	if err := stream.CloseSend(); err != nil {
		t.Fatal(err)
	}
	if _, err := stream.Recv(); err != io.EOF {
		t.Errorf("got %v, want the end", err)
	}
}

// TestGRPCManyAtOnce has calls of all kinds, and cancelled ones, share the connections.
func TestGRPCManyAtOnce(t *testing.T) {
	grpclog.SetLoggerV2(refusing{grpclog.NewLoggerV2(io.Discard, io.Discard, io.Discard)})
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, ""))
	client := testgrpc.NewTestServiceClient(dialGRPC(t, g.Addr))
	ctx := patient(t)
	var running sync.WaitGroup
	for range 8 {
		for _, do := range []func(context.Context, testgrpc.TestServiceClient, ...grpc.CallOption){
			interop.DoLargeUnaryCall, interop.DoClientStreaming, interop.DoServerStreaming, interop.DoPingPong, interop.DoCancelAfterFirstResponse,
		} {
			running.Go(func() {
				defer survive(t)
				for range 5 {
					do(ctx, client)
				}
			})
		}
	}
	running.Wait()
	Until(t, "nothing is in flight", func() bool { return g.Status().Upstreams["b"][0].Active == 0 })
}

func TestGRPCMalformedTimeout(t *testing.T) {
	_, backend := serveGRPC(t, nil)
	g := Start(t, calls(backend, ""))
	_, header, _ := g.Do("POST", "/grpc.testing.TestService/EmptyCall", "\x00\x00\x00\x00\x00", "Content-Type: application/grpc", "Grpc-Timeout: 1.5S")
	if header.Get("Grpc-Status") != "13" || !strings.Contains(header.Get("Grpc-Message"), "malformed grpc-timeout") {
		t.Errorf("got %v, want INTERNAL and why", header)
	}
}

// TestGRPCOwnAnswers: what the gateway says itself arrives as a status, with the fields that filters have set.
func TestGRPCOwnAnswers(t *testing.T) {
	dir := t.TempDir()
	install(t, dir, "loop", "loop")
	nobody := refusedAddress(t)
	g := StartIn(t, dir, fmt.Sprintf(`
[log]
access = "access.log"
[upstreams.nobody]
endpoints = [%q]
protocol = "h2c"
[[routes]]
name = "limited"
path = "/limited/*m"
respond = { status = 200, headers = { Content-Type = "application/grpc", Grpc-Status = "0" } }
filters = [{ use = "ratelimit", rate = "1/h" }]
[[routes]]
name = "refused"
path = "/refused/*m"
upstream = "nobody"
[[routes]]
name = "denied"
path = "/denied/*m"
respond = { status = 401, body = "internals", headers = { WWW-Authenticate = "Bearer" } }
[[routes]]
name = "trap"
path = "/trap/*m"
respond = { status = 200 }
filters = ["loop"]
`, nobody))
	conn := dialGRPC(t, g.Addr)
	tests := []struct {
		method, field string
		want          codes.Code
		message       string
	}{
		{"/limited/M", "ratelimit", codes.Internal, "cardinality"}, // the answer has no message, which a unary call wants
		{"/limited/M", "retry-after", codes.ResourceExhausted, "Too Many Requests"},
		{"/refused/M", "", codes.Unavailable, "Bad Gateway"},
		{"/denied/M", "www-authenticate", codes.Unauthenticated, "Unauthorized"},
		{"/trap/M", "", codes.Unavailable, "Service Unavailable"},
		{"/no/route", "", codes.Unimplemented, "Not Found: no route for this host and path"},
	}
	for _, test := range tests {
		t.Run(test.method+" "+test.field, func(t *testing.T) {
			err := invoke(t, conn, test.method, test.field)
			if status.Code(err) != test.want || !strings.Contains(err.Error(), test.message) || strings.Contains(err.Error(), "internals") {
				t.Errorf("got %v, want %v, %s", err, test.want, test.message)
			}
		})
	}
	Until(t, "the log tells", func() bool {
		log, _ := os.ReadFile(dir + "/access.log")
		return strings.Count(string(log), `"status":200,"grpc_status":14,`) == 2 && strings.Contains(string(log), `"grpc_status":12,`)
	})
}

// invoke makes a unary call; the answer's metadata must have the field.
func invoke(t *testing.T, conn *grpc.ClientConn, method, field string) error {
	t.Helper()
	var head, trailer metadata.MD
	err := conn.Invoke(patient(t), method, &testgrpc.Empty{}, &testgrpc.Empty{}, grpc.Header(&head), grpc.Trailer(&trailer))
	if field != "" && len(head[field])+len(trailer[field]) == 0 {
		t.Errorf("%s is in neither %v nor %v", field, head, trailer)
	}
	return err
}

// refusedAddress returns one that nobody listens at.
func refusedAddress(t *testing.T) string {
	t.Helper()
	return free.Address(t)
}

package gateway

import (
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
	"github.com/sallyport/sallyport/core/grpc"
	"github.com/sallyport/sallyport/core/header"
)

// script is a Source that brings pieces, one a Read, then trailers and an error.
type script struct {
	pieces   []string
	trailers []header.Field
	err      error
	x        *exchange.Exchange
	closed   int
}

func (s *script) Read(p []byte) (int, error) {
	if len(s.pieces) > 0 {
		n := copy(p, s.pieces[0])
		if s.pieces[0] = s.pieces[0][n:]; s.pieces[0] == "" {
			s.pieces = s.pieces[1:]
		}
		return n, nil
	}
	for _, f := range s.trailers {
		s.x.Resp.Trailers.Add(f.Name, f.Value)
	}
	s.trailers = nil
	return 0, s.err
}

func (s *script) Close() error {
	s.closed++
	return nil
}

func fieldText(fields *header.Fields) string {
	var b strings.Builder
	for _, f := range fields.All() {
		b.WriteString(f.Name + ": " + f.Value + "\n")
	}
	return b.String()
}

func listed(pairs ...string) (fields []header.Field) {
	for i := 0; i < len(pairs); i += 2 {
		fields = append(fields, header.Field{Name: pairs[i], Value: pairs[i+1]})
	}
	return fields
}

// lastFrame is the trailers' frame around a short text.
func lastFrame(text string) string { return "\x80\x00\x00\x00" + string(rune(len(text))) + text }

const frame = "\x00\x00\x00\x00\x03abc"

var (
	okTrailers = listed("Grpc-Status", "0", "X-More", "y")
	native     = listed("Content-Type", "application/grpc+proto")
	slow       = fault.New(fault.GatewayTimeout, fault.Upstream, "too slow")
)

func TestAnswerCall(t *testing.T) {
	tests := []struct {
		name   string
		client grpc.Dialect
		status int
		fields []header.Field
		source *script // nil: whole, with held
		held   string
		fault  *fault.Fault

		wantStatus             int
		wantFields, wantBody   string
		wantTrailers, wantGRPC string
		wantErr                bool
		wantLogged             bool
	}{
		{name: "no call", client: grpc.None, status: 502, held: "{}", wantStatus: 502, wantBody: "{}"},
		{name: "base64 is not spoken", client: grpc.WebText, status: 415, held: "{}", wantStatus: 415, wantBody: "{}"},
		{
			name: "a filter's answer", client: grpc.Native, status: 429, held: "{}",
			fields:     listed("Content-Type", "application/problem+json", "Content-Language", "en", "Retry-After", "1", "ETag", "x"),
			wantStatus: 200, wantGRPC: "8",
			wantFields: "Retry-After: 1\nContent-Type: application/grpc\nGrpc-Status: 8\nGrpc-Message: Too Many Requests\n",
		},
		{
			name: "a fault", client: grpc.Native, status: 504, held: "{}", fault: slow, wantStatus: 200, wantGRPC: "4",
			wantFields: "Content-Type: application/grpc\nGrpc-Status: 4\nGrpc-Message: Gateway Timeout: too slow\n",
		},
		{
			name: "a fault that something else was made of", client: grpc.Native, status: 403, fault: slow, wantStatus: 200, wantGRPC: "7",
			wantFields: "Content-Type: application/grpc\nGrpc-Status: 7\nGrpc-Message: Forbidden\n",
		},
		{
			name: "a page of another proxy", client: grpc.Native, status: 503, source: &script{pieces: []string{"<html>"}, err: io.EOF},
			fields: listed("Content-Type", "text/html"), wantStatus: 200, wantGRPC: "14",
			wantFields: "Content-Type: application/grpc\nGrpc-Status: 14\nGrpc-Message: Service Unavailable\n",
		},
		{
			name: "a status that a filter has set", client: grpc.Native, status: 403, fields: native, wantStatus: 200, wantGRPC: "7",
			source:     &script{pieces: []string{frame}, err: io.EOF, trailers: okTrailers},
			wantFields: "Content-Type: application/grpc\nGrpc-Status: 7\nGrpc-Message: Forbidden\n",
		},
		{
			name: "gRPC-Web for one who does not speak it", client: grpc.Native, status: 200, fields: listed("Content-Type", "application/grpc-web"),
			wantStatus: 200, wantGRPC: "2", wantFields: "Content-Type: application/grpc\nGrpc-Status: 2\nGrpc-Message: the answer is none of gRPC's\n",
		},
		{
			name: "a call", client: grpc.Native, status: 200, fields: native, source: &script{pieces: []string{frame}, err: io.EOF, trailers: okTrailers},
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\n", wantBody: frame, wantTrailers: "Grpc-Status: 0\nX-More: y\n", wantGRPC: "0",
		},
		{
			name: "trailers only", client: grpc.Native, status: 200, fields: append(native, listed("Grpc-Status", "5")...),
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\nGrpc-Status: 5\n", wantGRPC: "5",
		},
		{
			name: "a call that breaks off", client: grpc.Native, status: 200, fields: native, held: frame,
			source:     &script{pieces: []string{frame[:7], frame[7:]}, err: slow, trailers: okTrailers},
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\n", wantBody: frame + frame, wantGRPC: "4", wantLogged: true,
			wantTrailers: "Grpc-Status: 4\nGrpc-Message: Gateway Timeout: too slow\n",
		},
		{
			name: "a call that breaks off within a message", client: grpc.Native, status: 200, fields: native, held: frame,
			source:     &script{pieces: []string{"\x00"}, err: slow},
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\n", wantBody: frame + "\x00", wantErr: true,
		},
		{
			name: "a call that ends within a message", client: grpc.Native, status: 200, fields: native,
			source:     &script{pieces: []string{frame[:7]}, err: io.EOF, trailers: okTrailers},
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\n", wantBody: frame[:7], wantErr: true, wantTrailers: "Grpc-Status: 0\nX-More: y\n",
		},
		{
			name: "a call whose connection breaks", client: grpc.Native, status: 200, fields: native,
			source:     &script{pieces: []string{frame}, err: errors.New("internals")},
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\n", wantBody: frame, wantGRPC: "14", wantLogged: true,
			wantTrailers: "Grpc-Status: 14\nGrpc-Message: Bad Gateway\n",
		},
		{
			name: "a client that has gone", client: grpc.Native, status: 200, fields: native,
			source:     &script{pieces: []string{frame}, err: fault.New(fault.ClientGone, fault.Client, "")},
			wantStatus: 200, wantFields: "Content-Type: application/grpc+proto\n", wantBody: frame, wantErr: true,
		},
		{
			name: "web", client: grpc.Web, status: 200, fields: native, held: frame, source: &script{pieces: []string{frame[:3], frame[3:]}, err: io.EOF, trailers: okTrailers},
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web+proto\n", wantGRPC: "0",
			wantBody: frame + frame + lastFrame("grpc-status: 0\r\nx-more: y\r\n"),
		},
		{
			name: "web, trailers only", client: grpc.Web, status: 200, fields: append(native, listed("Grpc-Status", "5", "Grpc-Message", "no", "X-More", "y")...),
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web+proto\nX-More: y\n", wantGRPC: "5",
			wantBody: lastFrame("grpc-status: 5\r\ngrpc-message: no\r\n"),
		},
		{
			name: "web, a fault", client: grpc.Web, status: 504, fault: slow, wantStatus: 200, wantGRPC: "4",
			wantFields: "Content-Type: application/grpc-web\n", wantBody: lastFrame("grpc-status: 4\r\ngrpc-message: Gateway Timeout: too slow\r\n"),
		},
		{
			name: "web, no status", client: grpc.Web, status: 200, fields: native, source: &script{pieces: []string{frame}, err: io.EOF},
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web+proto\n", wantGRPC: "2",
			wantBody: frame + lastFrame("grpc-status: 2\r\ngrpc-message: the call ended without a status\r\n"),
		},
		{
			name: "web, breaks off between messages", client: grpc.Web, status: 200, fields: native, source: &script{pieces: []string{frame}, err: slow},
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web+proto\n", wantGRPC: "4", wantLogged: true,
			wantBody: frame + lastFrame("grpc-status: 4\r\ngrpc-message: Gateway Timeout: too slow\r\n"),
		},
		{
			name: "web, breaks off within a message", client: grpc.Web, status: 200, fields: native, source: &script{pieces: []string{frame[:7]}, err: slow},
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web+proto\n", wantBody: frame[:7], wantErr: true,
		},
		{
			name: "web, ends within a message", client: grpc.Web, status: 200, fields: native, source: &script{pieces: []string{frame[:7]}, err: io.EOF, trailers: okTrailers},
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web+proto\n", wantBody: frame[:7], wantErr: true, wantTrailers: "Grpc-Status: 0\nX-More: y\n",
		},
		{
			name: "web, whole but for a part of a message", client: grpc.Web, status: 200, fields: native, held: frame[:7],
			wantStatus: 200, wantFields: "Cache-Control: no-store\nContent-Type: application/grpc-web\n", wantGRPC: "14", wantLogged: true,
			wantBody: lastFrame("grpc-status: 14\r\ngrpc-message: Bad Gateway\r\n"),
		},
		{
			name: "web that an upstream speaks itself", client: grpc.Web, status: 200, fields: listed("Content-Type", "application/grpc-web"), held: "anything",
			wantStatus: 200, wantFields: "Content-Type: application/grpc-web\n", wantBody: "anything",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			x := &exchange.Exchange{Fault: tt.fault}
			x.Resp.Status = tt.status
			for _, f := range tt.fields {
				x.Resp.Fields.Add(f.Name, f.Value)
			}
			x.Resp.Body.Set([]byte(tt.held))
			if tt.source != nil {
				tt.source.x = x
				x.Resp.Body = exchange.Body{Length: exchange.Unknown, Held: []byte(tt.held), Source: tt.source}
			}
			answerCall(x, tt.client)
			body, err := io.ReadAll(&x.Resp.Body)
			if x.Resp.Status != tt.wantStatus || string(body) != tt.wantBody || (err != nil) != tt.wantErr {
				t.Errorf("got %d, %q, %v\nwant %d, %q, error %v", x.Resp.Status, body, err, tt.wantStatus, tt.wantBody, tt.wantErr)
			}
			if got := fieldText(&x.Resp.Fields); tt.wantFields != "" && got != tt.wantFields {
				t.Errorf("fields: got\n%swant\n%s", got, tt.wantFields)
			}
			if got := fieldText(&x.Resp.Trailers); got != tt.wantTrailers {
				t.Errorf("trailers: got\n%swant\n%s", got, tt.wantTrailers)
			}
			if x.GRPCStatus != tt.wantGRPC {
				t.Errorf("status for the log: got %q, want %q", x.GRPCStatus, tt.wantGRPC)
			}
			if got := x.Fault != nil && x.Fault != tt.fault; got != tt.wantLogged {
				t.Errorf("a new fault for the log: got %v, want %v", got, tt.wantLogged)
			}
			x.Resp.Reset()
			if tt.source != nil && tt.source.closed != 1 {
				t.Errorf("the source was closed %d times", tt.source.closed)
			}
		})
	}
}

// However small the pieces are that the engine reads, the body is the same.
func TestCallBodyInPieces(t *testing.T) {
	for size := 1; size < 80; size += 7 {
		x := &exchange.Exchange{}
		x.Resp.Status = 200
		x.Resp.Fields.Add("Content-Type", "application/grpc")
		source := &script{x: x, pieces: []string{frame, frame}, err: io.EOF, trailers: listed("grpc-status", "0")}
		x.Resp.Body = exchange.Body{Length: exchange.Unknown, Source: source}
		answerCall(x, grpc.Web)
		var got []byte
		for p := make([]byte, size); ; {
			n, err := x.Resp.Body.Read(p)
			got = append(got, p[:n]...)
			if err == io.EOF {
				break
			}
		}
		if want := frame + frame + lastFrame("grpc-status: 0\r\n"); string(got) != want {
			t.Errorf("pieces of %d: got %q, want %q", size, got, want)
		}
	}
}

func TestTakeWebCall(t *testing.T) {
	x := &exchange.Exchange{}
	x.Req.Fields.Add("content-type", "application/grpc-web+proto")
	if f := takeWebCall(x, grpc.Web); f != nil || x.Req.Fields.Value("Content-Type") != "application/grpc+proto" {
		t.Errorf("got %v, %q", f, x.Req.Fields.Value("Content-Type"))
	}
	if f := takeWebCall(x, grpc.WebText); f == nil || f.Kind.Status() != 415 || f.Reason == "" {
		t.Errorf("got %v, want 415 with a reason", f)
	}
	for _, client := range []grpc.Dialect{grpc.None, grpc.Native} {
		if f := takeWebCall(x, client); f != nil {
			t.Errorf("dialect %d: got %v", client, f)
		}
	}
}

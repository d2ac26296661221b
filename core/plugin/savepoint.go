package plugin

import (
	"net"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
)

// savepoint holds what an exchange was like before a hook changed it: each piece is copied at its first write. Its room
// is reused from hook to hook.
type savepoint struct {
	hasRequest, hasRequestBody, hasResponse, hasBody, hasAttrs, hasState bool

	host, path, query string
	fields            header.Fields // of the request
	body              exchange.Body // of the request, not closed before the hook's work stands

	status         int
	answerFields   header.Fields
	answerTrailers header.Fields
	answerBody     exchange.Body // not closed before the hook's work stands
	tunnel         net.Conn

	attrs []exchange.Attr
	state []byte
}

func (s *savepoint) keepRequest(x *exchange.Exchange) {
	if s.hasRequest {
		return
	}
	s.hasRequest = true
	s.host, s.path, s.query = x.Req.Host, x.Req.Path, x.Req.Query
	s.fields.CopyFrom(&x.Req.Fields)
}

func (s *savepoint) keepResponse(x *exchange.Exchange) {
	if s.hasResponse {
		return
	}
	s.hasResponse = true
	s.status = x.Resp.Status
	s.answerFields.CopyFrom(&x.Resp.Fields)
	s.answerTrailers.CopyFrom(&x.Resp.Trailers)
}

// replaceRequestBody puts content in the place of the request's body.
func (s *savepoint) replaceRequestBody(x *exchange.Exchange, content []byte) {
	if !s.hasRequestBody {
		s.hasRequestBody = true
		s.body = x.Req.Body
	}
	x.Req.Body = exchange.Body{Length: int64(len(content)), Held: content}
}

// replaceBody puts content in the place of the response's body. The old one is closed only when the hook has succeeded.
func (s *savepoint) replaceBody(x *exchange.Exchange, content []byte) {
	if !s.hasBody {
		s.hasBody = true
		s.answerBody, s.tunnel = x.Resp.Body, x.Resp.Tunnel
		x.Resp.Tunnel = nil
	}
	x.Resp.Body = exchange.Body{Length: int64(len(content)), Held: content}
}

func (s *savepoint) keepAttrs(x *exchange.Exchange) {
	if s.hasAttrs {
		return
	}
	s.hasAttrs = true
	s.attrs = append(s.attrs[:0], x.Attrs()...)
}

func (s *savepoint) keepState(state []byte) {
	if s.hasState {
		return
	}
	s.hasState = true
	s.state = append(s.state[:0], state...)
}

// undoState puts the filter's state back and forgets it.
func (s *savepoint) undoState(of func() *[]byte) {
	if s.hasState {
		state := of()
		*state = append((*state)[:0], s.state...)
		s.hasState = false
	}
}

// undo puts everything else back and forgets it.
func (s *savepoint) undo(x *exchange.Exchange) {
	s.undoResponse(x)
	if s.hasRequest {
		x.Req.Host, x.Req.Path, x.Req.Query = s.host, s.path, s.query
		x.Req.Fields.CopyFrom(&s.fields)
	}
	if s.hasRequestBody {
		x.Req.Body = s.body
		s.hasRequestBody, s.body = false, exchange.Body{}
	}
	if s.hasAttrs {
		x.RestoreAttrs(s.attrs)
	}
	s.keep()
}

// undoResponse puts the response back and forgets it.
func (s *savepoint) undoResponse(x *exchange.Exchange) {
	if s.hasBody {
		x.Resp.Body, x.Resp.Tunnel = s.answerBody, s.tunnel
		s.hasBody = false
		s.answerBody, s.tunnel = exchange.Body{}, nil
	}
	if s.hasResponse {
		x.Resp.Status = s.status
		x.Resp.Fields.CopyFrom(&s.answerFields)
		x.Resp.Trailers.CopyFrom(&s.answerTrailers)
		s.forgetResponse()
	}
}

// keep makes the hook's work final: it closes a body that was replaced and lets go of all copies.
func (s *savepoint) keep() {
	if s.hasBody {
		_ = s.answerBody.Close() // nobody wants its bytes: how it ends is of no interest
		if s.tunnel != nil {
			_ = s.tunnel.Close()
		}
		s.answerBody, s.tunnel = exchange.Body{}, nil
	}
	if s.hasRequestBody {
		_ = s.body.Close() // nobody wants its bytes either
		s.hasRequestBody, s.body = false, exchange.Body{}
	}
	if s.hasRequest {
		s.host, s.path, s.query = "", "", ""
		s.fields.Reset()
	}
	if s.hasResponse {
		s.forgetResponse()
	}
	if s.hasAttrs {
		clear(s.attrs)
	}
	s.hasRequest, s.hasBody, s.hasAttrs, s.hasState = false, false, false, false
}

func (s *savepoint) forgetResponse() {
	s.hasResponse = false
	s.answerFields.Reset()
	s.answerTrailers.Reset()
}

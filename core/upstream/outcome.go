package upstream

import (
	"errors"
	"net"

	"github.com/sallyport/sallyport/core/fault"
)

// outcome is what one try says about the endpoint.
type outcome uint8

const (
	outcomeNeutral  outcome = iota // nothing: the client has gone, or was in too much of a hurry
	outcomeAnswered                // all is well
	outcomeGateway                 // 502, 503 or 504: what stands behind the endpoint fails
	outcomeServer                  // another 5xx
	outcomeConnect                 // no connection, or none that is secure
	outcomeBroken                  // the connection has ended, or the answer cannot be understood
	outcomeTimeout                 // no answer in time
	outcomeCount                   // how many there are
)

// String returns the outcome as the admin API shows it.
func (o outcome) String() string {
	return [...]string{"neutral", "answered", "gateway", "server", "connect", "broken", "timeout"}[o]
}

// isGatewayError reports whether the endpoint did as good as not answer.
func (o outcome) isGatewayError() bool { return o >= outcomeGateway && o != outcomeServer }

// outcomeOf returns what a try's fault or, without one, its status says.
func outcomeOf(f *fault.Fault, status int, send *Send) outcome {
	switch {
	case f == nil && status < 500:
		return outcomeAnswered
	case f == nil && status >= 502 && status <= 504:
		return outcomeGateway
	case f == nil:
		return outcomeServer
	case f.Side != fault.Upstream || send.ClientsDeadline && isPast(send.Deadline):
		return outcomeNeutral
	case f.Kind != fault.BadGateway && f.Kind != fault.GatewayTimeout: // a refusal of our own
		return outcomeNeutral
	case isNoConnection(f.Err):
		return outcomeConnect
	case f.Kind == fault.GatewayTimeout:
		return outcomeTimeout
	}
	return outcomeBroken
}

func isNoConnection(err error) bool {
	var op *net.OpError
	return errors.As(err, new(handshakeError)) || errors.As(err, &op) && op.Op == "dial"
}

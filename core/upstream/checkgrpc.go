package upstream

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// The health service of gRPC (grpc.health.v1): its messages have one field each, the first, so they are written and read here by hand.
const (
	healthMethod  = "/grpc.health.v1.Health/Check"
	messageHead   = 5 // bytes before a message: whether it is compressed, and its length in four
	statusServing = 1
)

var errHealthMessage = errors.New("the answer is no health message")

// askGRPC asks the server for the state of a service.
func (c *checker) askGRPC(k *check) error {
	x := c.exchange(k, "POST", healthMethod)
	x.Req.Fields.Set("Content-Type", "application/grpc")
	x.Req.Body.Set(healthRequest(c.options.Service))
	content, err := c.roundTrip(k, x)
	if err != nil {
		return err
	}
	if x.Resp.Status != 200 {
		return fmt.Errorf("status %d", x.Resp.Status)
	}
	code, ok := x.Resp.Trailers.Get("Grpc-Status")
	if !ok {
		code = x.Resp.Fields.Value("Grpc-Status") // of an answer without a message
	}
	if code != "0" {
		return fmt.Errorf("gRPC status %q", code)
	}
	status, ok := healthStatus(content)
	switch {
	case !ok:
		return errHealthMessage
	case status != statusServing:
		return fmt.Errorf("the service is %s", servingName(status))
	}
	return nil
}

// healthRequest returns a HealthCheckRequest behind its head.
func healthRequest(service string) []byte {
	var message []byte
	if service != "" {
		message = binary.AppendUvarint([]byte{1<<3 | 2}, uint64(len(service)))
		message = append(message, service...)
	}
	out := binary.BigEndian.AppendUint32([]byte{0}, uint32(len(message)))
	return append(out, message...)
}

// healthStatus reads the status out of a HealthCheckResponse behind its head. Fields that are not known are passed over.
func healthStatus(content []byte) (status uint64, ok bool) {
	if len(content) < messageHead || content[0] != 0 || uint64(binary.BigEndian.Uint32(content[1:])) != uint64(len(content)-messageHead) {
		return 0, false
	}
	for rest := content[messageHead:]; len(rest) > 0; {
		tag, n := binary.Uvarint(rest)
		if n <= 0 {
			return 0, false
		}
		value, size := fieldValue(rest[n:], tag&7)
		if size < 0 {
			return 0, false
		}
		if tag == 1<<3 {
			status = value
		}
		rest = rest[n+size:]
	}
	return status, true
}

// fieldValue returns a field's number, where it is one, and how many bytes it takes; -1 if it is malformed.
func fieldValue(b []byte, kind uint64) (value uint64, size int) {
	switch kind {
	case 0:
		value, size = binary.Uvarint(b)
		if size <= 0 {
			return 0, -1
		}
		return value, size
	case 1:
		size = 8
	case 2:
		length, n := binary.Uvarint(b)
		if n <= 0 || length > uint64(len(b)) {
			return 0, -1
		}
		size = n + int(length)
	case 5:
		size = 4
	default:
		return 0, -1
	}
	if size > len(b) {
		return 0, -1
	}
	return 0, size
}

func servingName(status uint64) string {
	switch status {
	case 0:
		return "UNKNOWN"
	case 2:
		return "NOT_SERVING"
	case 3:
		return "SERVICE_UNKNOWN"
	}
	return fmt.Sprintf("in state %d", status)
}

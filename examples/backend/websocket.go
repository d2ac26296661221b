package main

import (
	"bufio"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
)

// Opcodes and bits of RFC 6455, section 5.2.
const (
	opClose   = 0x8
	opPing    = 0x9
	opPong    = 0xA
	opMask    = 0x0F
	finBit    = 0x80
	maskBit   = 0x80
	lengthMax = 1 << 20 // of one frame's payload
)

// webSocketGUID is the constant that RFC 6455, section 1.3, appends to a client's key.
const webSocketGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

var errFrame = errors.New("not a frame that this service takes")

// frame is one WebSocket frame, unmasked.
type frame struct {
	first   byte // FIN, reserved bits and opcode as they came
	payload []byte
}

// webSocket upgrades the connection and sends every data frame back as it came, until the client closes.
func (s *service) webSocket(w http.ResponseWriter, r *http.Request) {
	key := r.Header.Get("Sec-WebSocket-Key")
	if !strings.EqualFold(r.Header.Get("Upgrade"), "websocket") || key == "" {
		w.Header().Set("Upgrade", "websocket")
		http.Error(w, "this is a WebSocket", http.StatusUpgradeRequired)
		return
	}
	conn, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, "this connection cannot be upgraded", http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	ended := make(chan struct{})
	defer close(ended)
	go func() {
		select {
		case <-s.stopping:
			conn.Close()
		case <-ended:
		}
	}()
	fmt.Fprintf(rw, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: %s\r\n\r\n", acceptKey(key))
	if rw.Flush() == nil {
		echoFrames(rw)
	}
}

// acceptKey is the answer to a client's Sec-WebSocket-Key.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + webSocketGUID))
	return base64.StdEncoding.EncodeToString(sum[:])
}

func echoFrames(rw *bufio.ReadWriter) {
	for {
		f, err := readFrame(rw.Reader)
		if err != nil {
			return
		}
		op := f.first & opMask
		if op == opPong {
			continue
		}
		if op == opPing {
			f.first = finBit | opPong
		}
		if writeFrame(rw.Writer, f) != nil || rw.Flush() != nil || op == opClose {
			return
		}
	}
}

// readFrame reads a client's frame, which is always masked.
func readFrame(r *bufio.Reader) (frame, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return frame{}, err
	}
	if head[1]&maskBit == 0 {
		return frame{}, errFrame
	}
	length, err := readLength(r, head[1]&^maskBit)
	if err != nil {
		return frame{}, err
	}
	var mask [4]byte
	if _, err := io.ReadFull(r, mask[:]); err != nil {
		return frame{}, err
	}
	payload := make([]byte, length)
	if _, err := io.ReadFull(r, payload); err != nil {
		return frame{}, err
	}
	for i := range payload {
		payload[i] ^= mask[i%4]
	}
	return frame{first: head[0], payload: payload}, nil
}

// readLength reads what follows the seven bits of a length: nothing, or 16 or 64 bits more.
func readLength(r io.Reader, short byte) (uint64, error) {
	length := uint64(short)
	var wide [8]byte
	switch short {
	case 126:
		if _, err := io.ReadFull(r, wide[6:]); err != nil {
			return 0, err
		}
		length = binary.BigEndian.Uint64(wide[:])
	case 127:
		if _, err := io.ReadFull(r, wide[:]); err != nil {
			return 0, err
		}
		length = binary.BigEndian.Uint64(wide[:])
	}
	if length > lengthMax {
		return 0, errFrame
	}
	return length, nil
}

// writeFrame writes a server's frame, which is never masked.
func writeFrame(w io.Writer, f frame) error {
	head := []byte{f.first}
	switch n := len(f.payload); {
	case n < 126:
		head = append(head, byte(n))
	case n <= 0xFFFF:
		head = binary.BigEndian.AppendUint16(append(head, 126), uint16(n))
	default:
		head = binary.BigEndian.AppendUint64(append(head, 127), uint64(n))
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	_, err := w.Write(f.payload)
	return err
}

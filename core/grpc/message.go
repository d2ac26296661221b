package grpc

const upperHex = "0123456789ABCDEF"

// AppendMessage adds text as Grpc-Message has it: percent-encoded but for printable ASCII (gRPC over HTTP/2, "Status-Message").
func AppendMessage(b []byte, text string) []byte {
	for i := 0; i < len(text); i++ {
		if c := text[i]; c >= ' ' && c <= '~' && c != '%' {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[c>>4], upperHex[c&15])
		}
	}
	return b
}

package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// noMessage has the gateway check the bytes that are passed along.
const noMessage = 0xffffffff

// maxReport is the most that the gateway tells of a document. To ask again would be to check again.
const maxReport = 8 << 10

// findings receives what CheckJSON returns.
var findings []byte

// CheckJSON checks a JSON document against [schemas.NAME] in gateway.toml, by the grant "schema:NAME", and returns what is wrong with it: a JSON array of
// objects with pointer, keyword and message, valid until the hook returns or another document is checked; nil for one that is good. What is no
// JSON at all is found wrong likewise. ErrTooLarge for a document beyond the schema's limits, or one whose check takes more fuel than may be;
// ErrUnavailable when it could not be done; ErrNotGranted. Request and response hooks only.
func CheckJSON(schema string, document []byte) ([]byte, error) {
	return checked(schema, noMessage, document)
}

// Check is CheckJSON of the body, which needs not be read for that.
func (b Body) Check(schema string) ([]byte, error) { return checked(schema, b.message, nil) }

func checked(schema string, message uint32, document []byte) ([]byte, error) {
	if findings == nil {
		findings = make([]byte, maxReport)
	}
	n := host.SchemaCheck(schema, message, document, findings)
	switch {
	case n < 0:
		return nil, ErrorCode(n)
	case n == 0:
		return nil, nil
	case int(n) > len(findings): // a later gateway may tell more
		findings = make([]byte, n)
		return checked(schema, message, document)
	}
	return findings[:n:n], nil
}

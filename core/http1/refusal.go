package http1

// refusal is why a head or a body is not accepted: a fixed phrase without anything of the message in it.
type refusal string

// Error returns the phrase.
func (r refusal) Error() string { return string(r) }

const (
	accepted         refusal = ""
	tooManyFields    refusal = "too many fields"
	headTooLarge     refusal = "head too large"
	bareLF           refusal = "line ends without CR LF"
	foldedField      refusal = "folded field"
	spaceBeforeColon refusal = "space before a field's colon"
	badName          refusal = "invalid field name"
	badValue         refusal = "invalid byte in a field value"
	unfinishedHead   refusal = "head is not complete"
	badLength        refusal = "invalid Content-Length"
	twoLengths       refusal = "more than one Content-Length"
	badTransfer      refusal = "Transfer-Encoding other than chunked"
	lengthAndChunked refusal = "both Content-Length and Transfer-Encoding"
	oldTransfer      refusal = "Transfer-Encoding in HTTP/1.0"
	twoHosts         refusal = "more than one Host"
	manyConnections  refusal = "too many Connection fields or options"
	badConnection    refusal = "invalid Connection"
	connectionField  refusal = "a field of the connection in HTTP/2"
	badTE            refusal = "TE other than trailers in HTTP/2"
)

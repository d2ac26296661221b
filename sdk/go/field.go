package sallyport

import "github.com/sallyport/sallyport/sdk/go/internal/host"

// Field numbers a value of the exchange. Request has a method for each; Field is for reading one without a copy.
type Field int32

// The fields.
const (
	FieldMethod Field = iota + 1
	FieldScheme
	FieldHost
	FieldPath
	FieldQuery
	FieldProtocol
	FieldClientAddress
	FieldRoute
	FieldRequestID
	FieldConsumer
	FieldUpstream
	FieldTLSServerName
	FieldTLSClientSubject
	FieldTraceID
)

// Bytes returns the field's value without copying it, and whether there is one. The bytes are valid until the
// next call into this package.
func (r *Request) Bytes(f Field) (value []byte, ok bool) {
	n := host.Get(int32(f), scratch)
	for outgrown(n) {
		n = host.Get(int32(f), scratch)
	}
	return held(n)
}

func (r *Request) text(f Field) string {
	value, _ := r.Bytes(f)
	return string(value)
}

// Method returns the request's method as sent.
func (r *Request) Method() string { return r.text(FieldMethod) }

// Scheme returns "http" or "https".
func (r *Request) Scheme() string { return r.text(FieldScheme) }

// Host returns the host that is asked for, in lower case, with its port if one was sent.
func (r *Request) Host() string { return r.text(FieldHost) }

// Path returns the normalised path, percent-encoded.
func (r *Request) Path() string { return r.text(FieldPath) }

// Query returns the raw query without "?".
func (r *Request) Query() string { return r.text(FieldQuery) }

// Protocol returns "HTTP/1.1" or "HTTP/2.0", say.
func (r *Request) Protocol() string { return r.text(FieldProtocol) }

// ClientAddress returns the client's IP address, trusted proxies left out.
func (r *Request) ClientAddress() string { return r.text(FieldClientAddress) }

// Route returns the route's name.
func (r *Request) Route() string { return r.text(FieldRoute) }

// ID returns the request id, as it came with the request or as the gateway made it.
func (r *Request) ID() string { return r.text(FieldRequestID) }

// Consumer returns who the client is, as a filter has found out, or "".
func (r *Request) Consumer() string { return r.text(FieldConsumer) }

// Upstream returns the name of the upstream that was asked, or "" before that.
func (r *Request) Upstream() string { return r.text(FieldUpstream) }

// TLSServerName returns the name that the client asked for when it opened the connection, or "".
func (r *Request) TLSServerName() string { return r.text(FieldTLSServerName) }

// TLSClientSubject returns the subject of the client's verified certificate (RFC 2253), or "".
func (r *Request) TLSClientSubject() string { return r.text(FieldTLSClientSubject) }

// TraceID returns the id of the distributed trace that the request is part of, in hexadecimal digits, or "" where the gateway has no
// tracing.
func (r *Request) TraceID() string { return r.text(FieldTraceID) }

func setField(f Field, value string) error { return failure(host.Set(int32(f), value)) }

// SetHost changes the host that is asked for: a name or address, perhaps with a port. Request hook only.
func (r *Request) SetHost(value string) error { return setField(FieldHost, value) }

// SetPath changes the path, which is normalised again. The request is not routed again. Request hook only.
func (r *Request) SetPath(value string) error { return setField(FieldPath, value) }

// SetQuery changes the raw query. Request hook only.
func (r *Request) SetQuery(value string) error { return setField(FieldQuery, value) }

// SetConsumer says who the client is, for the filters after this one, the access log and rate-limit keys.
func (r *Request) SetConsumer(value string) error { return setField(FieldConsumer, value) }

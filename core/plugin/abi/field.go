package abi

// Field is the number of a value that the host functions get and set reach.
type Field uint32

// The fields.
const (
	Method Field = iota + 1
	Scheme
	Host
	Path
	Query
	Protocol
	ClientAddress
	Route
	RequestID
	Consumer
	Upstream
	TLSServerName
	TLSClientSubject
	TraceID
)

// FieldInfo is a row of the table of fields.
type FieldInfo struct {
	Field Field
	Name  string
	Set   Phases // in which the field may be set; none: read-only
}

// Fields returns every field in order.
func Fields() []FieldInfo {
	return []FieldInfo{
		{Method, "method", 0},
		{Scheme, "scheme", 0},
		{Host, "host", InRequest},
		{Path, "path", InRequest},
		{Query, "query", InRequest},
		{Protocol, "protocol", 0},
		{ClientAddress, "client address", 0},
		{Route, "route", 0},
		{RequestID, "request id", 0},
		{Consumer, "consumer", InRequest | InResponse},
		{Upstream, "upstream", 0},
		{TLSServerName, "TLS server name", 0},
		{TLSClientSubject, "TLS client subject", 0},
		{TraceID, "trace id", 0},
	}
}

// ConsumerAttr is the attribute that the field consumer stands for.
const ConsumerAttr = "consumer"

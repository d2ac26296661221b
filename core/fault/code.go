package fault

// Code says in a few letters why an exchange ended as it did: what access logs, metrics and alerts go by. Where Envoy has such a flag, it
// is Envoy's. There is one for each exchange, the first that is known; NoCode is that of one that went as it should.
type Code uint8

// The codes; docs/OPERATIONS.md tells operators what each of them means.
const (
	NoCode           Code = iota
	NoRoute               // NR: no route for the host and path, or none for the method
	NoEndpoint            // UH: the upstream has no healthy endpoint, or none at all
	ConnectFailed         // UF: no connection to the endpoint, or no secure one
	Overflow              // UO: the upstream's limits are reached, or its breakers are open
	UpstreamTimeout       // UT: no answer in time, or the request was not taken in time
	UpstreamCut           // UC: the upstream's connection or stream ended too early
	UpstreamProtocol      // UPE: the upstream's answer cannot be understood
	RetriesExhausted      // URX: the last of several tries failed, too
	TimeOver              // DT: the exchange as a whole took too long
	StreamIdle            // SI: an answer's content made no progress
	RateLimited           // RL: a limit refused the request
	LimitLost             // RLSE: the store that a limit counts in could not be had
	Overload              // OM: too many exchanges at once
	PluginRefused         // PL: a plugin answered with an error
	PluginFailed          // PF: a plugin could not do its work
	ClientLeft            // DC: the client hung up
	ClientSlow            // CT: the client did not send its request in time
	ClientProtocol        // DPE: the request cannot be understood or served
	TooLarge              // TL: head or content are larger than allowed
	WrongHost             // MD: the connection's certificate does not serve the host
	GatewayError          // IE: the gateway's own mistake
)

// String returns the code as logs show it, "" for NoCode.
func (c Code) String() string {
	return [...]string{
		"", "NR", "UH", "UF", "UO", "UT", "UC", "UPE", "URX", "DT", "SI", "RL", "RLSE", "OM", "PL", "PF", "DC", "CT", "DPE", "TL", "MD", "IE",
	}[c]
}

// Codes returns all of them but NoCode.
func Codes() []Code {
	var all []Code
	for c := NoRoute; c <= GatewayError; c++ {
		all = append(all, c)
	}
	return all
}

// CodeOf returns the fault's Code or, where it has none, what follows from its Kind and Side; NoCode for nil.
func CodeOf(f *Fault) Code {
	switch {
	case f == nil:
		return NoCode
	case f.Code != NoCode:
		return f.Code
	case f.Side == Plugin:
		return PluginFailed
	case f.Kind == Unavailable && f.Side == Gateway:
		return Overload
	case f.Kind == GatewayTimeout && f.Side == Gateway:
		return TimeOver
	}
	return kindCode(f.Kind)
}

func kindCode(k Kind) Code {
	switch k {
	case NotFound, MethodNotAllowed:
		return NoRoute
	case RequestTimeout:
		return ClientSlow
	case BodyTooLarge, URITooLong, HeadTooLarge:
		return TooLarge
	case ClientGone:
		return ClientLeft
	case BadGateway:
		return UpstreamCut
	case Unavailable:
		return NoEndpoint
	case GatewayTimeout:
		return UpstreamTimeout
	case Misdirected:
		return WrongHost
	case BadRequest, NotImplemented, VersionNotSupported, UnsupportedMedia:
		return ClientProtocol
	}
	return GatewayError
}

package telemetry

import (
	"crypto/tls"
	"strconv"

	"github.com/sallyport/sallyport/core/exchange"
)

// logField is a field that lines of JSON may have.
type logField struct {
	name  string
	add   appender
	named bool // only lines have it whose fields were chosen
}

// FieldNames returns the names of the fields that lines of JSON may have, in their usual order.
func FieldNames() []string {
	var names []string
	for _, field := range logFields() {
		names = append(names, field.name)
	}
	return names
}

// logFields are all there are: who, what, where to, how it went. Durations are microseconds. What is empty is left out.
func logFields() []logField {
	var all []logField
	for _, group := range [][]logField{requestFields(), answerFields(), timeFields(), endFields(), connectionFields(), messageFields()} {
		all = append(all, group...)
	}
	return all
}

func requestFields() []logField {
	return []logField{
		{"time", (*line).addTime, false},
		{"id", func(l *line) { l.text(`,"id":`, l.x.ID) }, false},
		{"trace_id", func(l *line) { l.addTraceID(`,"trace_id":"`) }, false},
		{"span_id", func(l *line) { l.addSpanID(`,"span_id":"`) }, false},
		{"client", (*line).addClient, false},
		{"peer", (*line).addPeer, false},
		{"method", func(l *line) { l.text(`,"method":`, l.x.Req.Method) }, false},
		{"scheme", func(l *line) { l.plain(`,"scheme":`, l.x.Req.Scheme) }, false},
		{"host", (*line).addHost, false},
		{"path", (*line).addPath, false},
		{"query", (*line).addQuery, false},
		{"protocol", func(l *line) { l.plain(`,"protocol":`, l.x.Req.Protocol.String()) }, false},
	}
}

func answerFields() []logField {
	return []logField{
		{"status", func(l *line) { l.number(`,"status":`, int64(l.x.Resp.Status)) }, false},
		{"grpc_status", (*line).addGRPCStatus, false},
		{"route", func(l *line) { l.text(`,"route":`, l.x.Route) }, false},
		{"upstream", func(l *line) { l.text(`,"upstream":`, l.x.Upstream) }, false},
		{"endpoint", func(l *line) { l.text(`,"endpoint":`, l.x.Endpoint) }, false},
		{"tries", func(l *line) { l.number(`,"tries":`, int64(l.x.Tries)) }, false},
		{"received", func(l *line) { l.number(`,"received":`, l.x.Received) }, false},
		{"sent", func(l *line) { l.number(`,"sent":`, l.x.Sent) }, false},
		{"received_head", func(l *line) { l.known(`,"received_head":`, l.x.ReceivedHead) }, true},
		{"sent_head", func(l *line) { l.known(`,"sent_head":`, l.x.SentHead) }, true},
	}
}

func timeFields() []logField {
	return []logField{
		{"chain_us", func(l *line) { l.phase(`,"chain_us":`, l.x.Times.Chain) }, false},
		{"connect_us", func(l *line) { l.known(`,"connect_us":`, l.x.Connect.Microseconds()) }, false},
		{"sent_us", func(l *line) { l.phase(`,"sent_us":`, l.x.Times.Sent) }, false},
		{"answered_us", func(l *line) { l.phase(`,"answered_us":`, l.x.Times.Answered) }, false},
		{"total_us", func(l *line) { l.phase(`,"total_us":`, l.x.Times.End) }, false},
		{"filters", (*line).addFilters, false},
		{"generation", func(l *line) { l.number(`,"generation":`, int64(l.x.Generation)) }, false},
	}
}

func endFields() []logField {
	return []logField{
		{"answered_by", func(l *line) { l.plain(`,"answered_by":`, l.x.By.String()) }, false},
		{"filter", func(l *line) { l.text(`,"filter":`, l.x.Filter) }, false},
		{"limit", func(l *line) { l.text(`,"limit":`, l.x.Limit) }, false},
		{"reason_code", func(l *line) { l.plain(`,"reason_code":`, l.x.Ended().String()) }, false},
		{"fault", (*line).addFault, false},
		{"blame", (*line).addBlame, false},
		{"reason", (*line).addReason, false},
		{"cause", (*line).addCause, false},
	}
}

func connectionFields() []logField {
	return []logField{
		{"tls_version", (*line).addTLSVersion, false},
		{"tls_cipher", (*line).addCipher, false},
		{"tls_server_name", (*line).addServerName, false},
		{"tls_resumed", (*line).addResumed, false},
		{"tls_client", func(l *line) { l.text(`,"tls_client":`, l.x.ClientSubject) }, false},
	}
}

func messageFields() []logField {
	return []logField{
		{"user_agent", func(l *line) { l.text(`,"user_agent":`, l.x.Req.Fields.Value("User-Agent")) }, true},
		{"referer", (*line).addReferer, true},
		{"request_headers", func(l *line) { l.addCaptured(`,"request_headers":{`, l.f.request, &l.x.Req.Fields) }, false},
		{"response_headers", func(l *line) { l.addCaptured(`,"response_headers":{`, l.f.response, &l.x.Resp.Fields) }, false},
		{"attributes", (*line).addAttributes, false},
		{"sample", (*line).addSample, false},
	}
}

// known adds a number that is not known when it is 0.
func (l *line) known(key string, value int64) {
	if value != 0 {
		l.number(key, value)
	}
}

func (l *line) addTime() {
	t := l.x.Times.Start
	b := l.clock.append(append(l.b, `,"time":"`...), t, "2006-01-02T15:04:05.")
	micros := t.Nanosecond() / 1000
	for unit := 100_000; unit > 0; unit /= 10 {
		b = append(b, byte('0'+micros/unit%10))
	}
	l.b = append(b, `Z"`...)
}

func (l *line) addClient() {
	l.b = append(l.x.Addr.AppendTo(append(l.b, `,"client":"`...)), '"')
}

func (l *line) addPeer() {
	l.b = append(l.x.Peer.AppendTo(append(l.b, `,"peer":"`...)), '"')
}

func (l *line) addHost() { l.text(`,"host":`, withoutUser(l.x.Req.Host)) }

func (l *line) addPath() {
	if path := shownPath(l.x.Asked.Path); path != "" {
		l.b = append(l.b, `,"path":"`...)
		l.b = append(l.f.query.appendPath(l.b, path, appendEscaped), '"')
	}
}

func (l *line) addQuery() {
	query := l.x.Asked.Query
	if query == "" {
		return
	}
	l.b = append(l.b, `,"query":"`...)
	l.b = append(l.f.query.append(l.b, query, appendEscaped), '"')
}

func (l *line) addReferer() {
	if value := l.x.Req.Fields.Value("Referer"); value != "" {
		l.b = append(l.b, `,"referer":"`...)
		l.b = append(l.f.query.appendURL(l.b, value, appendEscaped), '"')
	}
}

// addGRPCStatus leaves out what no number is: it is the upstream's word.
func (l *line) addGRPCStatus() {
	if l.x.GRPCStatus == "" {
		return
	}
	if code, err := strconv.ParseUint(l.x.GRPCStatus, 10, 16); err == nil {
		l.number(`,"grpc_status":`, int64(code))
	}
}

func (l *line) addFault() {
	if f := l.x.Fault; f != nil {
		l.plain(`,"fault":`, f.Kind.String())
	}
}

func (l *line) addBlame() {
	if f := l.x.Fault; f != nil {
		l.plain(`,"blame":`, f.Side.String())
	}
}

func (l *line) addReason() {
	if f := l.x.Fault; f != nil {
		l.text(`,"reason":`, f.Reason)
	}
}

func (l *line) addCause() {
	if f := l.x.Fault; f != nil && f.Err != nil {
		l.text(`,"cause":`, f.Err.Error())
	}
}

func (l *line) addTLSVersion() {
	if t := l.x.TLS; t != nil {
		l.plain(`,"tls_version":`, tls.VersionName(t.Version))
	}
}

func (l *line) addCipher() {
	if t := l.x.TLS; t != nil {
		l.plain(`,"tls_cipher":`, l.f.ciphers[t.CipherSuite])
	}
}

func (l *line) addServerName() {
	if t := l.x.TLS; t != nil {
		l.text(`,"tls_server_name":`, t.ServerName)
	}
}

func (l *line) addResumed() {
	if t := l.x.TLS; t != nil && t.DidResume {
		l.b = append(l.b, `,"tls_resumed":true`...)
	}
}

func (l *line) addFilters() {
	took := l.x.Took
	if len(took) == 0 {
		return
	}
	l.b = append(l.b, `,"filters":[`...)
	for i := range took {
		if i > 0 {
			l.b = append(l.b, ',')
		}
		l.b = appendString(append(l.b, `{"name":`...), took[i].Name)
		l.number(`,"us":`, took[i].Time.Microseconds())
		l.b = append(l.b, '}')
	}
	l.b = append(l.b, ']')
}

func (l *line) addAttributes() {
	attrs := l.x.Attrs()
	if len(attrs) == 0 {
		return
	}
	l.b = append(l.b, `,"attributes":{`...)
	for i, a := range attrs {
		if i > 0 {
			l.b = append(l.b, ',')
		}
		l.b = append(appendString(l.b, a.Name), ':')
		l.b = appendString(l.b, l.f.attribute(a))
	}
	l.b = append(l.b, '}')
}

// attribute returns an attribute's value as it may be shown.
func (f *Format) attribute(a exchange.Attr) string {
	if len(f.attributes) > 0 && f.attributes[a.Name] {
		return redacted
	}
	return a.Value
}

// addSample tells the share of such exchanges that have a line, if not all have.
func (l *line) addSample() {
	if l.share < 1 {
		l.b = strconv.AppendFloat(append(l.b, `,"sample":`...), l.share, 'g', -1, 64)
	}
}

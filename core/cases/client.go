package cases

import (
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"

	"github.com/sallyport/sallyport/core/config"
	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/header"
)

// client sends the requests of cases as they are written.
type client struct {
	address   string
	transport *http.Transport
}

func newClient(address string) *client {
	return &client{address, &http.Transport{DisableCompression: true}}
}

func (c *client) close() { c.transport.CloseIdleConnections() }

// send sends a request and reads its answer.
func (c *client) send(r *config.CaseRequest) (*message, error) {
	request := &http.Request{
		Method: r.Method,
		URL:    &url.URL{Scheme: "http", Host: c.address, Opaque: r.Path, RawQuery: r.Query},
		Host:   r.Host,
		Header: http.Header{"User-Agent": nil, "X-Request-Id": {"request-1"}}, // an id made at random would be in problem documents
	}
	if r.Body != "" {
		request.Body, request.ContentLength = io.NopCloser(strings.NewReader(r.Body)), int64(len(r.Body))
	}
	given := http.Header{}
	for _, f := range r.Fields {
		given.Add(f.Name, f.Value)
	}
	for name, values := range given {
		request.Header[name] = values
	}
	response, err := c.transport.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return &message{status: response.StatusCode, fields: sortedFields(response.Header), body: string(body)}, err
}

// disguise makes the exchange one of the client that the case speaks of. The engine has seen loopback, and told the upstream so.
func disguise(x *exchange.Exchange, r *config.CaseRequest) {
	x.Addr = netip.MustParseAddr(r.Client).Unmap() // the reader of the case has parsed it
	x.Peer = netip.AddrPortFrom(x.Addr, x.Peer.Port())
	x.Req.Scheme = r.Scheme
	x.Req.Fields.Set("X-Forwarded-For", x.Addr.String())
	x.Req.Fields.Set("X-Forwarded-Proto", r.Scheme)
}

// sortedFields writes net/http's map as a list.
func sortedFields(h http.Header) (fields []header.Field) {
	for _, name := range sortedKeys(h) {
		for _, value := range h[name] {
			fields = append(fields, header.Field{Name: name, Value: value})
		}
	}
	return fields
}

package gateway

import (
	"strconv"
	"strings"

	"github.com/sallyport/sallyport/core/exchange"
	"github.com/sallyport/sallyport/core/fault"
)

const (
	permanentRedirect = 308 // the method stays as it is (RFC 9110, section 15.4.9)
	defaultHTTPSPort  = 443
)

// redirectHTTPS answers with the same place over TLS.
func redirectHTTPS(x *exchange.Exchange) {
	host := x.Req.Host
	if colon := strings.LastIndexByte(host, ':'); colon > strings.LastIndexByte(host, ']') {
		host = host[:colon]
	}
	if host == "" || !strings.HasPrefix(x.Req.Path, "/") {
		fail(x, fault.New(fault.BadRequest, fault.Client, "this port only sends on to HTTPS, which takes a host and a path"))
		return
	}
	location := "https://" + host
	if x.HTTPSPort != defaultHTTPSPort {
		location += ":" + strconv.Itoa(x.HTTPSPort)
	}
	location += x.Req.Path
	if x.Req.Query != "" {
		location += "?" + x.Req.Query
	}
	x.Resp.Reset()
	x.Resp.Status = permanentRedirect
	x.Resp.Fields.Add("Location", location)
	x.Resp.Body.Set(nil)
}

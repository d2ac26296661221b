package engine

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/sallyport/sallyport/core/exchange"
)

func TestForwarded(t *testing.T) {
	loopback := []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}
	more := append([]netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}, loopback...)
	const own = " X-Forwarded-For=127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"
	tests := []struct {
		name    string
		trusted []netip.Prefix
		fields  string
		want    string
	}{
		{"nothing said", nil, "A: b\r\n", "127.0.0.1 http A=b" + own},
		{"not trusted", nil, "X-Forwarded-For: 1.2.3.4\r\nA: b\r\nForwarded: for=1.2.3.4\r\nx-real-ip: 1.2.3.4\r\nX-Forwarded-Proto: https\r\n" +
			"X-Forwarded-Host: evil\r\nX-Forwarded-Port: 1\r\nX-Forwarded-Prefix: /p\r\nX-Forwarded-Client-Cert: c\r\n", "127.0.0.1 http A=b" + own},
		{"not trusted, with underscores", nil, "X_Forwarded_For: 1.2.3.4\r\nX_REAL_IP: 1.2.3.4\r\n", "127.0.0.1 http" + own},
		{"named in Connection", nil, "Connection: X-Forwarded-For\r\n", "127.0.0.1 http" + own},
		{"trusted, nothing said", loopback, "", "127.0.0.1 http X-Forwarded-Proto=http X-Forwarded-Host=x X-Forwarded-For=127.0.0.1"},
		{"trusted", loopback, "X-Forwarded-For: 1.2.3.4\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: y\r\n",
			"1.2.3.4 https X-Forwarded-For=1.2.3.4, 127.0.0.1 X-Forwarded-Proto=https X-Forwarded-Host=y"},
		{"invented hop", loopback, "X-Forwarded-For: 6.6.6.6, 1.2.3.4\r\n",
			"1.2.3.4 http X-Forwarded-For=6.6.6.6, 1.2.3.4, 127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"},
		{"two trusted hops in two fields", more, "X-Forwarded-For: 6.6.6.6, 1.2.3.4:99\r\nX-Forwarded-For: 10.1.1.1, [fd00::1]:80\r\n",
			"1.2.3.4 http X-Forwarded-For=6.6.6.6, 1.2.3.4:99, 10.1.1.1, [fd00::1]:80, 127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"},
		{"all trusted", more, "X-Forwarded-For: 10.0.0.1, 10.0.0.2\r\n",
			"10.0.0.1 http X-Forwarded-For=10.0.0.1, 10.0.0.2, 127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"},
		{"no address", more, "X-Forwarded-For: 1.2.3.4, unknown, 10.0.0.2\r\n",
			"10.0.0.2 http X-Forwarded-For=1.2.3.4, unknown, 10.0.0.2, 127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"},
		{"odd scheme", loopback, "X-Forwarded-Proto: gopher\r\n", "127.0.0.1 http X-Forwarded-Proto=http X-Forwarded-Host=x X-Forwarded-For=127.0.0.1"},
		{"Forwarded", more, "Forwarded: for=6.6.6.6, for=\"[2001:db8::1]:47\";proto=http, for=10.0.0.1 ; Proto=https\r\n",
			`2001:db8::1 https Forwarded=for=6.6.6.6, for="[2001:db8::1]:47";proto=http, for=10.0.0.1 ; Proto=https X-Forwarded-Proto=https X-Forwarded-Host=x X-Forwarded-For=2001:db8::1, 127.0.0.1`},
		{"Forwarded, the peer's in a field of its own", loopback, "Forwarded: for=6.6.6.6;proto=https\r\nForwarded: for=1.2.3.4;proto=http\r\n",
			"1.2.3.4 http Forwarded=for=6.6.6.6;proto=https Forwarded=for=1.2.3.4;proto=http X-Forwarded-Proto=http X-Forwarded-Host=x X-Forwarded-For=1.2.3.4, 127.0.0.1"},
		{"Forwarded, separators from a client in quotes", loopback, `Forwarded: host="a;for=7.7.7.7,for=6.6.6.6;proto=https";for=1.2.3.4;proto=http;by="\\"` + "\r\n",
			`1.2.3.4 http Forwarded=host="a;for=7.7.7.7,for=6.6.6.6;proto=https";for=1.2.3.4;proto=http;by="\\" X-Forwarded-Proto=http X-Forwarded-Host=x X-Forwarded-For=1.2.3.4, 127.0.0.1`},
		{"Forwarded, a client's quote left open", loopback, `Forwarded: for=6.6.6.6;x=", for=1.2.3.4` + "\r\n",
			`1.2.3.4 http Forwarded=for=6.6.6.6;x=", for=1.2.3.4 X-Forwarded-Proto=http X-Forwarded-Host=x X-Forwarded-For=1.2.3.4, 127.0.0.1`},
		{"trusted, with underscores", loopback, "X_Forwarded_For: 6.6.6.6\r\nX-Forwarded_Proto: https\r\nX-Forwarded-For: 1.2.3.4\r\nX_Real_IP: 6.6.6.6\r\n",
			"1.2.3.4 http X-Forwarded-For=1.2.3.4, 127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"},
		{"mapped address", loopback, "X-Forwarded-For: ::ffff:1.2.3.4\r\n",
			"1.2.3.4 http X-Forwarded-For=::ffff:1.2.3.4, 127.0.0.1 X-Forwarded-Proto=http X-Forwarded-Host=x"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			l, _ := start(t, Options{TrustedProxies: tt.trusted}, func(x *exchange.Exchange) {
				text := fmt.Sprint(x.Addr, " ", x.Req.Scheme)
				for _, f := range x.Req.Fields.All() {
					text += " " + f.Name + "=" + f.Value
				}
				answer200(x, text)
				if x.Peer.Addr().String() != "127.0.0.1" || x.Peer.Port() == 0 {
					t.Errorf("peer %v", x.Peer)
				}
			})
			got := talk(t, l, "GET / HTTP/1.1\r\nHost: x\r\n"+tt.fields+"\r\n")
			if _, got, _ = strings.Cut(got, "\r\n\r\n"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

package admin_test

import (
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"

	"github.com/sallyport/sallyport/core/admin"
	"github.com/sallyport/sallyport/core/gatewaytest"
	"github.com/sallyport/sallyport/core/gatewaytest/certs"
)

// What a reload takes from a certificate's authority, it takes from connections that are open, too.
func TestARevokedAuthorityPermitsNoOpenConnection(t *testing.T) {
	g := gatewaytest.Start(t, twoRoutes)
	authority, other := certs.NewAuthority(t), certs.NewAuthority(t)
	server := authority.Issue(t, "127.0.0.1")
	of := func(ca string) *admin.Access {
		return access(t, fmt.Sprintf("listen = \"0.0.0.0:9901\"\ntoken = { env = \"ADMIN_TEST_TOKEN\" }\ntls = { cert = %q, key = %q%s }\n", server.Cert, server.Key, ca))
	}
	s := listen(t, g, "127.0.0.1:0", of(fmt.Sprintf(", client_ca = %q", authority.File)))
	client := &http.Client{Transport: &http.Transport{
		MaxConnsPerHost: 1, TLSClientConfig: &tls.Config{RootCAs: authority.Pool, Certificates: []tls.Certificate{authority.Issue(t, "ada").TLS}},
	}}
	defer client.CloseIdleConnections()
	for _, step := range []struct {
		name, ca string
		want     int
	}{
		{"as it was", fmt.Sprintf(", client_ca = %q", authority.File), 200},
		{"another authority", fmt.Sprintf(", client_ca = %q", other.File), 401},
		{"the first again", fmt.Sprintf(", client_ca = %q", authority.File), 200},
		{"none", "", 401},
	} {
		s.SetAccess(of(step.ca))
		resp, err := client.Get("https://" + s.Addr().String() + "/status")
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, resp.Body) // so that the connection is kept
		if err = errors.Join(err, resp.Body.Close()); err != nil {
			t.Fatal(err)
		}
		if resp.StatusCode != step.want {
			t.Errorf("%s: got %d, want %d", step.name, resp.StatusCode, step.want)
		}
	}
}

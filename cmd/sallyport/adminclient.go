package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"github.com/sallyport/sallyport/core/config"
)

// adminPatience is how long the gateway may take to answer: a reload of a large config takes a while.
const adminPatience = 2 * time.Minute

// defaultFile is the config file when none is named.
const defaultFile = "gateway.toml"

// maxAnswer is the most that is read of an answer.
const maxAnswer = 256 << 20

// adminClient speaks to a gateway's admin interface.
type adminClient struct {
	http  *http.Client
	base  string
	token string
}

// refusal is an answer that is none: the gateway has said what is wrong.
type refusal struct {
	Status int            `json:"status"`
	Detail string         `json:"detail"`
	Errors []config.Error `json:"errors"`
}

// Error tells what the gateway has said.
func (r *refusal) Error() string {
	text := fmt.Sprintf("%d %s: %s", r.Status, http.StatusText(r.Status), r.Detail)
	for _, e := range r.Errors {
		text += "\n" + e.Error()
	}
	if r.Status == http.StatusUnauthorized {
		text += "\nset SALLYPORT_ADMIN_TOKEN, or say --token-file FILE, or --cert FILE --key FILE"
	}
	return text
}

func (w whereFlags) client() (*adminClient, error) {
	address := *w.address
	if address == "" {
		if _, err := os.Stat(*w.file); err != nil && *w.file != defaultFile {
			return nil, err
		}
		address = addressOf(*w.file)
	}
	token, err := w.token()
	if err != nil {
		return nil, err
	}
	secure, err := w.tls()
	if err != nil {
		return nil, err
	}
	transport := &http.Transport{TLSClientConfig: secure, DisableKeepAlives: true}
	c := &adminClient{http: &http.Client{Transport: transport, Timeout: adminPatience}, token: token, base: "http://" + address}
	c.http.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse } // the token is for one place
	switch path, isUnix := strings.CutPrefix(address, "unix:"); {
	case isUnix:
		c.base = "http://localhost"
		transport.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", path)
		}
	case strings.Contains(address, "://"):
		c.base = strings.TrimSuffix(address, "/")
	case *w.ca+*w.cert != "":
		c.base = "https://" + address
	}
	return c, nil
}

func (w whereFlags) tls() (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if *w.ca != "" {
		text, err := os.ReadFile(*w.ca)
		if err != nil {
			return nil, err
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate in PEM", *w.ca)
		}
	}
	if *w.cert != "" {
		pair, err := tls.LoadX509KeyPair(*w.cert, *w.key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// addressOf returns where a config file has its admin interface, as seen from this machine. Whatever is wrong with the rest of the file, or
// with its secrets, which this user need not be able to read, does not matter here.
func addressOf(file string) string {
	var c struct {
		Admin struct {
			Listen string
			TLS    map[string]any
		}
	}
	_, _ = toml.DecodeFile(file, &c) // else it is where it is by default
	if c.Admin.Listen == "" {
		return "127.0.0.1:9901"
	}
	address := c.Admin.Listen
	if path, isUnix := strings.CutPrefix(address, "unix:"); isUnix && !filepath.IsAbs(path) {
		return "unix:" + filepath.Join(filepath.Dir(file), path)
	}
	if host, port, err := net.SplitHostPort(address); err == nil && (host == "" || host == "0.0.0.0" || host == "::") {
		address = net.JoinHostPort("127.0.0.1", port)
	}
	if c.Admin.TLS != nil {
		address = "https://" + address
	}
	return address
}

// do sends a request and returns the answer's content. Its error is a *refusal when the gateway answers, but with a fault.
func (c *adminClient) do(method, path string, body any) ([]byte, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		content = bytes.NewReader(text)
	}
	r, err := http.NewRequest(method, c.base+path, content)
	if err != nil {
		return nil, err
	}
	if method != http.MethodGet {
		r.Header.Set("Content-Type", "application/json")
	}
	if c.token != "" {
		r.Header.Set("Authorization", "Bearer "+c.token)
	}
	resp, err := c.http.Do(r)
	if err != nil {
		return nil, fmt.Errorf("no gateway could be asked: %w", unwrapped(err))
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("the answer was cut short: %w", err)
	}
	if resp.StatusCode >= 300 {
		refused := &refusal{Status: resp.StatusCode, Detail: "the answer is none of an admin interface"}
		_ = json.Unmarshal(answer, refused) // else that is what there is to say
		return nil, refused
	}
	return answer, nil
}

// unwrapped leaves out the URL, which says nothing new.
func unwrapped(err error) error {
	if inner := errors.Unwrap(err); inner != nil {
		return inner
	}
	return err
}

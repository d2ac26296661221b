package upstream

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"slices"
)

// TLSOptions say how the servers prove who they are, and we to them.
type TLSOptions struct {
	Roots        *x509.CertPool    // who may have signed the servers' certificates; nil: whom the system trusts
	ServerName   string            // sent as SNI and verified; "" stands for the endpoint's host
	Certificates []tls.Certificate // shown to servers that ask for one
	// Pins are SHA-256 hashes of SubjectPublicKeyInfos. When there are some, the server's certificate or another of the verified
	// chain must have one of the keys.
	Pins       [][sha256.Size]byte
	MinVersion uint16 // of crypto/tls; 0: its default
	Insecure   bool   // nothing is verified; of the Pins, only the server's own certificate is looked at
}

var (
	errPin   = errors.New("no certificate of the chain has a pinned key")
	errALPN  = errors.New("the server does not speak HTTP/2: it has not chosen h2 by ALPN")
	errNoTLS = errors.New("h2 needs TLS: without it the protocol is h2c")
	errTLS   = errors.New("h2c is HTTP/2 without TLS: with it the protocol is h2")
)

// config returns what one endpoint is connected to with. Its sessions are its own: another server could not resume them.
func (o *TLSOptions) config(host, protocol string) *tls.Config {
	c := &tls.Config{
		RootCAs: o.Roots, ServerName: o.ServerName, Certificates: o.Certificates, MinVersion: o.MinVersion,
		InsecureSkipVerify: o.Insecure, NextProtos: []string{protocol}, ClientSessionCache: tls.NewLRUClientSessionCache(1),
	}
	if c.ServerName == "" {
		c.ServerName = host
	}
	// Unlike VerifyPeerCertificate it is called for resumed sessions, too.
	c.VerifyConnection = func(state tls.ConnectionState) error {
		if protocol == "h2" && state.NegotiatedProtocol != protocol {
			return errALPN
		}
		return o.checkPins(&state)
	}
	return c
}

// checkPins looks at verified chains only: what else a server sends along proves nothing, since it needs no key for it.
func (o *TLSOptions) checkPins(state *tls.ConnectionState) error {
	if len(o.Pins) == 0 {
		return nil
	}
	chains := state.VerifiedChains
	if o.Insecure {
		chains = [][]*x509.Certificate{state.PeerCertificates[:min(1, len(state.PeerCertificates))]}
	}
	for _, chain := range chains {
		if slices.ContainsFunc(chain, o.isPinned) {
			return nil
		}
	}
	return errPin
}

func (o *TLSOptions) isPinned(c *x509.Certificate) bool {
	return slices.Contains(o.Pins, sha256.Sum256(c.RawSubjectPublicKeyInfo))
}

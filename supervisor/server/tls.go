package server

import (
	"crypto/tls"
	"sync/atomic"
)

// certificate is what the server shows, of files that may be replaced while it runs.
type certificate struct {
	cert, key string
	now       atomic.Pointer[tls.Certificate]
}

// loadCertificate returns nil if no files are named.
func loadCertificate(cert, key string) (*certificate, error) {
	if cert == "" {
		return nil, nil
	}
	c := &certificate{cert: cert, key: key}
	return c, c.load()
}

// load reads the files; if they are bad, those read before stay in use.
func (c *certificate) load() error {
	pair, err := tls.LoadX509KeyPair(c.cert, c.key)
	if err != nil {
		return err
	}
	c.now.Store(&pair)
	return nil
}

func (c *certificate) get(*tls.ClientHelloInfo) (*tls.Certificate, error) { return c.now.Load(), nil }

package server

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// ErrConfig: New refused a Config. The message names the field.
var ErrConfig = errors.New("invalid config")

// validate checks a Config that has its defaults.
func (c *Config) validate() error {
	if c.Supervisor.Broker == nil {
		return errors.New("supervisor.broker: a server needs one that keeps its tasks, for example memory.New")
	}
	a := &c.API
	for _, err := range []error{
		between("max_body", a.MaxBody, c.Supervisor.MaxPayload, 4<<30),
		between("max_buffered", a.MaxBuffered, a.MaxBody, 1<<40),
		between("max_batch", a.MaxBatch, 1, 100_000),
		between("max_waits", a.MaxWaits, 1, 10_000_000),
		between("max_streams", a.MaxStreams, 1, 1_000_000),
		between("max_connections", a.MaxConnections, 1, 10_000_000),
		between("rate_per_token", a.RatePerToken, 0, 1e9),
		between("wait_limit", a.WaitLimit, time.Millisecond, 24*time.Hour),
		between("stall_limit", a.StallLimit, 100*time.Millisecond, time.Hour),
		validateTokens(a.Tokens),
		a.validateReach(),
	} {
		if err != nil {
			return fmt.Errorf("api.%w", err)
		}
	}
	return nil
}

// minSecret is the length of the shortest secret, in bytes.
const minSecret = 16

func validateTokens(tokens []Token) error {
	names, secrets := map[string]int{}, map[string]int{}
	for i, t := range tokens {
		field := fmt.Sprintf("tokens[%d]", i)
		if t.Name == "" {
			return fmt.Errorf("%s.name: a token needs a name to be called by in the log", field)
		}
		if j, taken := names[t.Name]; taken {
			return fmt.Errorf("%s.name: %q is also the name of tokens[%d]", field, t.Name, j)
		}
		if len(t.Secret) < minSecret || strings.TrimSpace(t.Secret) != t.Secret {
			return fmt.Errorf("%s.secret: at least %d characters without blanks around them are needed, for example of openssl rand -hex 32", field, minSecret)
		}
		if j, taken := secrets[t.Secret]; taken {
			return fmt.Errorf("%s.secret: it is also that of tokens[%d]", field, j)
		}
		names[t.Name], secrets[t.Secret] = i, i
		if err := t.Role.Validate(); err != nil {
			return fmt.Errorf("%s.%w", field, err)
		}
	}
	return nil
}

// validateReach refuses what would let strangers in.
func (a *API) validateReach() error {
	if (a.TLSCert == "") != (a.TLSKey == "") {
		return errors.New("tls_cert: a certificate and a key are needed, or neither")
	}
	network, address := a.network()
	if network == "unix" {
		if address == "" {
			return errors.New("address: unix: needs the path of a socket")
		}
		return nil
	}
	host, port, err := net.SplitHostPort(address)
	switch {
	case err != nil:
		return fmt.Errorf("address: %q is neither host:port nor unix:/path", a.Address)
	case !validPort(port):
		return fmt.Errorf("address: %q is not a port: a number from 0 to 65535 is needed", port)
	case loopback(host):
		return nil
	case a.TLSCert == "" && !a.Insecure:
		return fmt.Errorf("address: other machines can reach %s: set tls_cert and tls_key, or insecure if the network is to be trusted, or listen on %s", address, DefaultAddress)
	case len(a.Tokens) == 0:
		return fmt.Errorf("tokens: other machines can reach %s: name at least one token that callers must show, or listen on %s", address, DefaultAddress)
	}
	return nil
}

// network is what net.Listen takes.
func (a *API) network() (network, address string) {
	if path, is := strings.CutPrefix(a.Address, "unix:"); is {
		return "unix", path
	}
	return "tcp", a.Address
}

// loopback says that a host is this machine for nobody but itself. A name other than localhost may
// be any address.
func loopback(host string) bool {
	addr, err := netip.ParseAddr(host)
	return err == nil && addr.IsLoopback() || strings.EqualFold(host, "localhost")
}

// between returns an error that names the field unless lo <= v <= hi.
func between[T cmp.Ordered](field string, v, lo, hi T) error {
	if v < lo || v > hi {
		return fmt.Errorf("%s: %v is not within %v to %v", field, v, lo, hi)
	}
	return nil
}

func validPort(port string) bool {
	_, err := strconv.ParseUint(port, 10, 16)
	return err == nil
}

package client

import (
	"fmt"
	"net"
	"net/url"
	"strings"
)

// DefaultAddress is where a server listens unless it is told otherwise.
const DefaultAddress = "http://127.0.0.1:7717"

// unixPrefix begins the address of a socket in the file system.
const unixPrefix = "unix:"

// ParseAddress makes a base URL of what a person types: a URL, or HOST:PORT, which is taken
// for plain HTTP on the loopback and for HTTPS anywhere else, as servers do it. The path of a socket,
// unix:/path, stays what it is.
func ParseAddress(raw string) (string, error) {
	if path, is := strings.CutPrefix(raw, unixPrefix); is {
		if path == "" {
			return "", expected(raw)
		}
		return raw, nil
	}
	full := raw
	if !strings.Contains(raw, "://") {
		host, _, err := net.SplitHostPort(raw)
		if err != nil {
			return "", expected(raw)
		}
		scheme := "https"
		if isLoopback(host) {
			scheme = "http"
		}
		full = scheme + "://" + raw
	}
	u, err := url.Parse(full)
	switch {
	case err != nil || u.Host == "" || u.Port() == "" && u.Hostname() == "":
		return "", expected(raw)
	case u.Scheme != "http" && u.Scheme != "https":
		return "", expected(raw)
	case u.User != nil:
		// What is in a URL ends up in process lists and logs.
		return "", fmt.Errorf("an address holds no password: give the token in BROOD_TOKEN or a file")
	case u.RawQuery != "" || u.Fragment != "":
		return "", expected(raw)
	}
	return strings.TrimRight(u.String(), "/"), nil
}

func expected(raw string) error {
	return fmt.Errorf("expected an address such as %s, https://brood.example.org, HOST:PORT or unix:/path, found %q", DefaultAddress, raw)
}

func isLoopback(host string) bool {
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

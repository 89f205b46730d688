package httpapi

import (
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"strings"
)

// guard keeps web pages from using a server that trusts whoever can reach it: a page of another
// site, and a name of another site that was made to point here.
func (a *API) guard(next http.Handler) http.Handler {
	origins := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := origins.Check(r); err != nil {
			refuse(w, http.StatusForbidden, "permission_denied", "requests of web pages from elsewhere are not served: "+err.Error())
			return
		}
		if a.callers.Load().open && !a.cfg.AnyHost && !a.local(r.Host) {
			refuse(w, http.StatusForbidden, "permission_denied", fmt.Sprintf(
				"host %q: without tokens this server answers to localhost, loopback addresses and its own address alone", text(r.Host)))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// local says whether a Host header names this machine as no page of another site can.
func (a *API) local(host string) bool {
	name := host
	if h, _, err := net.SplitHostPort(host); err == nil {
		name = h
	}
	name = strings.TrimSuffix(strings.TrimPrefix(name, "["), "]")
	if addr, err := netip.ParseAddr(name); err == nil && addr.IsLoopback() {
		return true
	}
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "localhost" || strings.HasSuffix(name, ".localhost") || slices.Contains(a.cfg.Hosts, name)
}

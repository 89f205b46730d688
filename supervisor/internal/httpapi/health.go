package httpapi

import (
	"encoding/json"
	"net/http"
	"sync"
	"time"
)

// Readiness is what /readyz says.
type Readiness struct {
	Ready   bool     `json:"ready"`
	Reasons []string `json:"reasons,omitempty"` // why not
}

// outage remembers since when the broker has been away.
type outage struct {
	mu    sync.Mutex
	since time.Time // zero: it is there
}

// note takes the broker's health now and returns how long it has been bad.
func (o *outage) note(err error) time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if err == nil {
		o.since = time.Time{}
		return 0
	}
	if o.since.IsZero() {
		o.since = time.Now()
	}
	return time.Since(o.since)
}

// Ready says whether this server does its work, and if not why.
func (a *API) Ready() Readiness {
	var reasons []string
	select {
	case <-a.stopping:
		reasons = append(reasons, "stopping")
	default:
	}
	if a.cfg.Backend.Draining() {
		reasons = append(reasons, "draining: no tasks are started until Drain is undone")
	}
	err := a.cfg.Broker.Health()
	if down := a.outage.note(err); err != nil {
		reasons = append(reasons, "broker, for at least "+down.Round(time.Second).String()+": "+err.Error())
	}
	for _, p := range a.cfg.Backend.Snapshot().Pools {
		if p.Degraded != "" {
			reasons = append(reasons, "pool "+p.Name+" is degraded: "+p.Degraded)
		}
	}
	return Readiness{Ready: len(reasons) == 0, Reasons: reasons}
}

func (a *API) readyz(w http.ResponseWriter, _ *http.Request) {
	r := a.Ready()
	status := http.StatusOK
	if !r.Ready {
		status = http.StatusServiceUnavailable
	}
	respond(w, status, r)
}

// healthz says that the process lives.
func healthz(w http.ResponseWriter, _ *http.Request) {
	respond(w, http.StatusOK, struct {
		OK bool `json:"ok"`
	}{true})
}

func respond(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // whoever asked may have gone
}

// refuse answers a request that does not get as far as the API, in the form that errors of the API have.
func refuse(w http.ResponseWriter, status int, code, message string) {
	respond(w, status, struct {
		Code    string `json:"code"`
		Message string `json:"message"`
	}{code, text(message)})
}

package httpapi

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"connectrpc.com/connect"
	"golang.org/x/sync/semaphore"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// API answers requests. Create it with New.
type API struct {
	cfg     Config
	setting sync.Mutex // held while callers are replaced
	callers atomic.Pointer[callers]
	waits   *places
	streams *places
	room    *semaphore.Weighted // bytes of requests and answers that are in memory
	outage  outage

	stop     sync.Once
	stopping chan struct{} // closed by Stop
}

// New returns an API.
func New(cfg Config) *API {
	a := &API{
		cfg:      cfg,
		waits:    newPlaces("tasks that are waited for", cfg.Limits.MaxWaits),
		streams:  newPlaces("open streams", cfg.Limits.MaxStreams),
		room:     semaphore.NewWeighted(int64(cfg.Limits.MaxBuffered)),
		stopping: make(chan struct{}),
	}
	a.SetTokens(cfg.Tokens)
	return a
}

// Stop ends all waits and streams, each with an error that says so, and has /readyz say so too.
// Other requests are answered as before. Idempotent.
func (a *API) Stop() { a.stop.Do(func() { close(a.stopping) }) }

// compressFrom is the size of answers that are worth compressing, in bytes.
const compressFrom = 16 << 10

// Handler returns the handler of everything that this server serves.
func (a *API) Handler() http.Handler {
	options := []connect.HandlerOption{
		connect.WithCodec(strictJSON{"json"}),
		connect.WithCodec(strictJSON{"json; charset=utf-8"}),
		connect.WithReadMaxBytes(a.cfg.Limits.MaxBody),
		compression(int64(a.cfg.Limits.MaxBody)),
		connect.WithCompressMinBytes(compressFrom),
		connect.WithRequestGate(a.gate),
		connect.WithInterceptors(journal{a}),
		connect.WithRecover(a.recovered),
	}
	mux := http.NewServeMux()
	for _, mount := range []func() (string, http.Handler){
		func() (string, http.Handler) { return broodv1.NewTaskServiceHandler(tasks{a}, options...) },
		func() (string, http.Handler) { return broodv1.NewDeadLetterServiceHandler(deadLetters{a}, options...) },
		func() (string, http.Handler) { return broodv1.NewAdminServiceHandler(admin{a}, options...) },
	} {
		path, handler := mount()
		mux.Handle(path, known(handler))
	}
	mux.HandleFunc("GET /healthz", healthz)
	mux.HandleFunc("GET /readyz", a.readyz)
	return a.timed(a.guard(exactly(mux)))
}

// exactly serves paths as they are written: none is cleaned and redirected.
func exactly(mux *http.ServeMux) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch path := r.URL.Path; {
		case rules[path] != nil, path == "/healthz", path == "/readyz":
			mux.ServeHTTP(w, r)
		default:
			refuse(w, http.StatusNotFound, "unimplemented", fmt.Sprintf(
				"there is nothing at %q; the API is at /%s/METHOD and its neighbours, beside /healthz and /readyz", text(path), broodv1.TaskServiceName))
		}
	})
}

// known says what a request must look like where Connect would only give a status.
func known(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		kind, _, _ := strings.Cut(r.Header.Get("Content-Type"), ";")
		switch {
		case r.Method != http.MethodPost && r.Method != http.MethodGet:
			w.Header().Set("Allow", "POST")
			refuse(w, http.StatusMethodNotAllowed, "unimplemented", "send a POST")
		case r.Method == http.MethodPost && !spoken(strings.ToLower(strings.TrimSpace(kind))):
			w.Header().Set("Accept-Post", "application/json, application/proto, application/grpc")
			refuse(w, http.StatusUnsupportedMediaType, "invalid_argument", fmt.Sprintf(
				"content-type %q: send application/json, application/proto, or a content-type of gRPC", text(r.Header.Get("Content-Type"))))
		case r.URL.Path == broodv1.TaskServiceSubmitStreamProcedure && r.ProtoMajor < 2:
			w.Header().Set("Connection", "close")
			refuse(w, http.StatusHTTPVersionNotSupported, "unimplemented", "SubmitStream needs HTTP/2; SubmitBatch works with HTTP/1.1")
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// spoken says whether a content-type is one of the API.
func spoken(kind string) bool {
	switch kind {
	case "application/json", "application/proto", "application/grpc", "application/grpc-web":
		return true
	}
	protocol, codec, _ := strings.Cut(strings.TrimPrefix(kind, "application/"), "+")
	return slices.Contains([]string{"connect", "grpc", "grpc-web"}, protocol) && (codec == "json" || codec == "proto")
}

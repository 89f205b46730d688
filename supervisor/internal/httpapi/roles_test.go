package httpapi

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/known/emptypb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

const (
	adminSecret  = "an-admin-may-do-all-things"
	submitSecret = "who-submits-may-submit-and-wait"
	readSecret   = "who-reads-may-look"
)

func threeTokens() []Token {
	return []Token{{"boss", adminSecret, RoleAdmin}, {"ci", submitSecret, RoleSubmit}, {"board", readSecret, RoleRead}}
}

// methods calls f for each method in the schema.
func methods(f func(procedure string, m protoreflect.MethodDescriptor)) {
	services := broodv1.File_brood_proto.Services()
	for i := range services.Len() {
		all := services.Get(i).Methods()
		for j := range all.Len() {
			f("/"+string(services.Get(i).FullName())+"/"+string(all.Get(j).Name()), all.Get(j))
		}
	}
}

// allowed are the roles besides admin, by method. A new method has to be added here too.
var allowed = map[string]string{
	"TaskService/Submit": "submit", "TaskService/SubmitBatch": "submit", "TaskService/SubmitStream": "submit", "TaskService/Cancel": "submit",
	"TaskService/Get": "submit read", "TaskService/Wait": "submit read", "TaskService/WaitMany": "submit read",
	"DeadLetterService/List": "read", "DeadLetterService/Get": "read", "DeadLetterService/Retry": "", "DeadLetterService/Purge": "",
	"AdminService/ListPools": "read", "AdminService/ListWorkers": "read", "AdminService/WatchEvents": "read",
	"AdminService/RecycleWorker": "", "AdminService/ScalePool": "", "AdminService/PausePool": "", "AdminService/ResumePool": "",
	"AdminService/Drain": "", "AdminService/Reload": "",
}

func TestEveryMethodAsksForItsRole(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens()})
	r.api.Stop() // streams that are let in end at once
	secrets := map[Role]string{RoleAdmin: adminSecret, RoleSubmit: submitSecret, RoleRead: readSecret, "none": "not-the-secret-of-anybody", "": ""}
	methods(func(procedure string, m protoreflect.MethodDescriptor) {
		others, known := allowed[strings.TrimPrefix(procedure, "/brood.v1.")]
		if !known {
			t.Errorf("%s: who may call it?", procedure)
			return
		}
		for role, secret := range secrets {
			for _, option := range [][]connect.ClientOption{nil, {connect.WithGRPC()}, {connect.WithProtoJSON()}} {
				err := r.call(t, procedure, m, secret, option...)
				want := connect.CodePermissionDenied
				switch {
				case role == "" || role == "none":
					want = connect.CodeUnauthenticated
				case role == RoleAdmin || strings.Contains(others, string(role)):
					want = 0
				}
				got := connect.CodeOf(err)
				if want != 0 && got != want || want == 0 && (got == connect.CodePermissionDenied || got == connect.CodeUnauthenticated) {
					t.Errorf("%s as %q: %v, want %v", procedure, role, err, want)
				}
				if want == connect.CodePermissionDenied && !strings.Contains(err.Error(), "needs") {
					t.Errorf("%s as %s does not say what is needed: %v", procedure, role, err)
				}
				if err != nil && secret != "" && strings.Contains(err.Error(), secret) {
					t.Errorf("%s tells the secret: %v", procedure, err)
				}
			}
		}
	})
	if len(rules) != len(allowed) {
		t.Errorf("%d rules, %d methods", len(rules), len(allowed))
	}
}

// call sends an empty message to a method.
func (r *rig) call(t testing.TB, procedure string, m protoreflect.MethodDescriptor, secret string, opts ...connect.ClientOption) error {
	t.Helper()
	c := connect.NewClient[emptypb.Empty, emptypb.Empty](r.http2, r.web.URL+procedure, append(opts, connect.WithCodec(lenient{}))...)
	header := func(h http.Header) {
		if secret != "" {
			h.Set("Authorization", "Bearer "+secret)
		}
	}
	switch {
	case m.IsStreamingClient():
		s := c.CallBidiStream(t.Context())
		header(s.RequestHeader())
		_ = s.CloseRequest()
		defer s.CloseResponse()
		_, err := s.Receive()
		return err
	case m.IsStreamingServer():
		req := connect.NewRequest(&emptypb.Empty{})
		header(req.Header())
		s, err := c.CallServerStream(t.Context(), req)
		if err != nil {
			return err
		}
		defer s.Close()
		s.Receive()
		return s.Err()
	}
	req := connect.NewRequest(&emptypb.Empty{})
	header(req.Header())
	_, err := c.CallUnary(t.Context(), req)
	return err
}

// lenient reads any answer as an empty one.
type lenient struct{}

func (lenient) Name() string                { return "json" }
func (lenient) Marshal(any) ([]byte, error) { return []byte("{}"), nil }
func (lenient) Unmarshal([]byte, any) error { return nil }

func TestTokens(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens(), idle: true})
	for name, c := range map[string]struct {
		header string
		status int
		says   string
	}{
		"none":            {"", 401, "Authorization: Bearer TOKEN"},
		"good":            {"Bearer " + submitSecret, 200, ""},
		"scheme in lower": {"bearer " + submitSecret, 200, ""},
		"two blanks":      {"Bearer  " + submitSecret, 200, ""},
		"wrong":           {"Bearer " + submitSecret + "x", 401, "not known"},
		"shorter":         {"Bearer " + submitSecret[1:], 401, "not known"},
		"empty":           {"Bearer ", 401, "not known"},
		"no scheme":       {submitSecret, 401, "form"},
		"basic":           {"Basic " + submitSecret, 401, "form"},
		"name as secret":  {"Bearer ci", 401, "not known"},
		"huge":            {"Bearer " + strings.Repeat("x", 10_000), 401, "not known"},
		"other role":      {"Bearer " + readSecret, 403, `token "board" has the role read; Submit needs submit or admin`},
	} {
		header := []string{}
		if c.header != "" {
			header = []string{"Authorization", c.header}
		}
		got := r.curl(t, "Submit", `{"task":"ok"}`, header...)
		if got.status != c.status || !strings.Contains(fmt.Sprint(got.json(t)["message"]), c.says) && c.says != "" {
			t.Errorf("%s: %d %s", name, got.status, got.body)
		}
	}
}

func TestProbesNeedNoToken(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens()})
	if got := r.send(t, http.MethodGet, "/healthz", ""); got.status != 200 {
		t.Errorf("healthz: %d %s", got.status, got.body)
	}
	if got := r.send(t, http.MethodGet, "/readyz", ""); got.status != 200 {
		t.Errorf("readyz: %d %s", got.status, got.body)
	}
}

func TestRatePerToken(t *testing.T) {
	r := newRig(t, setup{tokens: threeTokens(), idle: true, limits: func(l *Limits) { l.RatePerToken = 0.001 }})
	if got := r.curl(t, "Submit", `{"task":"ok"}`, "Authorization", "Bearer "+submitSecret); got.status != 200 {
		t.Fatalf("the first: %d %s", got.status, got.body)
	}
	got := r.curl(t, "Submit", `{"task":"ok"}`, "Authorization", "Bearer "+submitSecret)
	if got.status != 429 || got.header.Get("Retry-After") == "" || !strings.Contains(string(got.body), "RetryInfo") {
		t.Errorf("the second: %d %v %s", got.status, got.header, got.body)
	}
	if got := r.curl(t, "Submit", `{"task":"ok"}`, "Authorization", "Bearer "+adminSecret); got.status != 200 {
		t.Errorf("another token: %d %s", got.status, got.body)
	}
}

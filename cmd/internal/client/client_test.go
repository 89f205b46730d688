package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// moody is a server that answers as it is told, over real HTTP. Servers that are full, lose connections
// or answer half cannot be had from a real one at will.
type moody struct {
	broodv1.TaskServiceHandler
	t *testing.T

	mu     sync.Mutex
	stored map[string]bool
	calls  int
	submit func(call int, r *broodv1.SubmitBatchRequest) error // before it is stored
	answer func(call int, a *broodv1.SubmitBatchResponse) error
	wait   func(call int, ids []string, send func(*broodv1.Task)) error
}

func (m *moody) SubmitBatch(_ context.Context, r *broodv1.SubmitBatchRequest) (*broodv1.SubmitBatchResponse, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	if m.submit != nil {
		if err := m.submit(m.calls, r); err != nil {
			return nil, err
		}
	}
	a := new(broodv1.SubmitBatchResponse)
	for _, t := range r.GetTasks() {
		a.Results = append(a.Results, &broodv1.SubmitResponse{Id: t.GetId(), Duplicate: m.stored[t.GetId()]})
		m.stored[t.GetId()] = true
	}
	if m.answer != nil {
		if err := m.answer(m.calls, a); err != nil {
			return nil, err
		}
	}
	return a, nil
}

func (m *moody) Get(context.Context, *broodv1.GetRequest) (*broodv1.GetResponse, error) {
	return nil, connect.NewError(connect.CodeNotFound, errors.New("no such task"))
}

func (m *moody) WaitMany(_ context.Context, r *broodv1.WaitManyRequest, s *connect.ServerStream[broodv1.WaitManyResponse]) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.calls++
	return m.wait(m.calls, r.GetIds(), func(t *broodv1.Task) {
		if err := s.Send(&broodv1.WaitManyResponse{Task: t}); err != nil {
			m.t.Error(err)
		}
	})
}

// start serves and returns a client of it.
func (m *moody) start(t *testing.T, options ...connect.HandlerOption) *Client {
	t.Helper()
	m.t, m.stored = t, make(map[string]bool)
	_, handler := broodv1.NewTaskServiceHandler(m, options...)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return open(t, server.URL)
}

func open(t *testing.T, address string) *Client {
	t.Helper()
	c, err := New(Config{Address: address, Token: "the-token"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func requests(ids ...string) []*broodv1.SubmitRequest {
	all := make([]*broodv1.SubmitRequest, len(ids))
	for i, id := range ids {
		all[i] = &broodv1.SubmitRequest{Id: id}
	}
	return all
}

func lost(http.ResponseWriter) error { panic(http.ErrAbortHandler) }

// A call whose answer is lost has stored its tasks: they are sent again, and are no duplicates.
func TestSubmitAgainAfterALostAnswer(t *testing.T) {
	m := &moody{answer: func(call int, _ *broodv1.SubmitBatchResponse) error {
		if call == 2 {
			return lost(nil)
		}
		return nil
	}}
	s := m.start(t).Submitter(10 * time.Second)
	for _, ids := range [][]string{{"a"}, {"b", "c"}} {
		answers, err := s.Submit(t.Context(), requests(ids...))
		if err != nil {
			t.Fatal(err)
		}
		for i, a := range answers {
			if a.GetId() != ids[i] || a.GetDuplicate() || a.GetError() != nil {
				t.Errorf("%s: %v", ids[i], a)
			}
		}
	}
	if m.calls != 3 {
		t.Errorf("%d calls", m.calls)
	}
}

// Tasks that found no room are sent again, the others are not; what is refused for good stays so.
func TestSubmitAgainWhatFoundNoRoom(t *testing.T) {
	var sent [][]string
	m := &moody{
		submit: func(_ int, r *broodv1.SubmitBatchRequest) error {
			var ids []string
			for _, t := range r.GetTasks() {
				ids = append(ids, t.GetId())
			}
			sent = append(sent, ids)
			return nil
		},
		answer: func(call int, a *broodv1.SubmitBatchResponse) error {
			if call == 1 {
				a.Results[1] = &broodv1.SubmitResponse{Id: "b", Error: &broodv1.Error{Kind: "resource_exhausted", Message: "full"}}
				a.Results[2] = &broodv1.SubmitResponse{Id: "c", Error: &broodv1.Error{Kind: "invalid_argument", Message: "no"}}
			}
			return nil
		},
	}
	answers, err := m.start(t).Submitter(10*time.Second).Submit(t.Context(), requests("a", "b", "c"))
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(sent); got != "[[a b c] [b]]" {
		t.Errorf("sent %s", got)
	}
	if answers[0].GetError() != nil || answers[1].GetError() != nil || answers[2].GetError().GetMessage() != "no" {
		t.Errorf("answers %v", answers)
	}
}

func TestSubmitGivesUp(t *testing.T) {
	m := &moody{answer: func(int, *broodv1.SubmitBatchResponse) error {
		err := connect.NewError(connect.CodeResourceExhausted, errors.New("the queue is full"))
		err.Meta().Set("Retry-After", "1")
		return err
	}}
	answers, err := m.start(t).Submitter(30*time.Millisecond).Submit(t.Context(), requests("a"))
	var f *Failure
	if !errors.As(err, &f) || f.Reason != Busy || f.Text != "the queue is full" || f.RetryAfter != time.Second || answers[0] != nil {
		t.Errorf("%v, %v", answers, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := open(t, m.url(t)).Submitter(time.Hour).Submit(ctx, requests("a")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

// What was unavailable may have been stored: sent again, it is no duplicate.
func TestSubmitAgainWhatWasUnavailable(t *testing.T) {
	m := &moody{answer: func(call int, a *broodv1.SubmitBatchResponse) error {
		if call == 1 {
			a.Results[1] = &broodv1.SubmitResponse{Id: "b", Error: &broodv1.Error{Kind: "unavailable", Message: "away"}}
		}
		return nil
	}}
	answers, err := m.start(t).Submitter(10*time.Second).Submit(t.Context(), requests("a", "b"))
	if err != nil || answers[1].GetError() != nil || answers[1].GetDuplicate() || m.calls != 2 {
		t.Errorf("%v, %v after %d calls", answers, err, m.calls)
	}
}

// A server that takes small messages only gets them; a task that is larger than any is refused alone.
func TestSubmitInMessagesThatAreTaken(t *testing.T) {
	m := new(moody)
	s := m.start(t, connect.WithReadMaxBytes(1000)).Submitter(0)
	tasks := requests("a", "b", "huge", "c", "d", "e", "f", "g")
	for i, t := range tasks {
		size := 300
		if i == 2 {
			size = 2000
		}
		t.Input = &broodv1.SubmitRequest_PayloadBytes{PayloadBytes: make([]byte, size)}
	}
	answers, err := s.Submit(t.Context(), tasks)
	if err != nil {
		t.Fatal(err)
	}
	for i, a := range answers {
		if refused := a.GetError() != nil; a.GetId() != tasks[i].GetId() || refused != (i == 2) {
			t.Errorf("%s: %v", tasks[i].GetId(), a)
		}
	}
	if e := answers[2].GetError(); e.GetKind() != "invalid_argument" || !strings.Contains(e.GetMessage(), "1000") {
		t.Errorf("the refusal is %v", e)
	}
	if len(m.stored) != 7 {
		t.Errorf("stored are %v", m.stored)
	}
}

// url starts another server with the same moods.
func (m *moody) url(t *testing.T) string { return m.start(t).address }

func TestWaitGoesOnAfterALostStream(t *testing.T) {
	done := func(id string) *broodv1.Task {
		return &broodv1.Task{Id: id, State: broodv1.TaskState_TASK_STATE_COMPLETED}
	}
	m := &moody{wait: func(call int, ids []string, send func(*broodv1.Task)) error {
		slices.Sort(ids)
		switch call {
		case 1:
			send(done("a"))
			return lost(nil)
		case 2:
			if fmt.Sprint(ids) != "[b c]" {
				return connect.NewError(connect.CodeInvalidArgument, fmt.Errorf("ids are %v", ids))
			}
			send(&broodv1.Task{Id: "b", Error: &broodv1.Error{Kind: "not_found"}})
			send(&broodv1.Task{Id: "c", State: broodv1.TaskState_TASK_STATE_RUNNING})
			return nil // too early
		default:
			send(done("c"))
			return nil
		}
	}}
	var got []string
	err := m.start(t).Wait(t.Context(), []string{"a", "b", "c"}, 10*time.Second, func(task *broodv1.Task) error {
		got = append(got, fmt.Sprint(task.GetId(), Unknown(task)))
		return nil
	})
	if err != nil || fmt.Sprint(got) != "[afalse btrue cfalse]" {
		t.Errorf("%v, %v", got, err)
	}
}

func TestFailures(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := "http://" + l.Addr().String()
	l.Close()
	web := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(web.Close)
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "no", http.StatusNotImplemented)
	}))
	t.Cleanup(other.Close)
	secret := httptest.NewUnstartedServer(http.NotFoundHandler())
	secret.Config.ErrorLog = log.New(io.Discard, "", 0)
	secret.StartTLS()
	t.Cleanup(secret.Close)
	host := strings.TrimPrefix(secret.URL, "https://")
	begun := time.Now()
	for _, tt := range []struct {
		address string
		reason  Reason
		text    string
	}{
		{nobody, Nobody, "no server at " + nobody + ": "},
		{web.URL, Stranger, "what answers at " + web.URL + " is no brood server"},
		{other.URL, Stranger, "what answers at " + other.URL + " is no brood server: 501"},
		{"http://" + host, Stranger, "what answers at http://" + host + " is no brood server, or it speaks TLS: then its address is https://" + host + ": 400"},
		{"https://" + strings.TrimPrefix(web.URL, "http://"), Stranger, "what answers at https://" + strings.TrimPrefix(web.URL, "http://") + " speaks no TLS: if it is to be trusted without, its address is " + web.URL + ": "},
		{secret.URL, Stranger, secret.URL + " is not known: name the certificates by which it is with --ca-file: "},
		{new(moody).url(t), NotFound, "no such task"},
	} {
		c := open(t, tt.address)
		_, err := c.Tasks.Get(t.Context(), &broodv1.GetRequest{Id: "x"})
		var f *Failure
		if err := c.Explain(err); !errors.As(err, &f) || f.Reason != tt.reason || !strings.HasPrefix(f.Text, tt.text) {
			t.Errorf("%s: %v %+v", tt.address, err, f)
		}
	}
	// A server that never was there is not waited for.
	if _, err := open(t, nobody).Submitter(time.Hour).Submit(t.Context(), requests("a")); err == nil || time.Since(begun) > time.Minute {
		t.Errorf("%v", err)
	}
}

func TestTheTokenIsSent(t *testing.T) {
	var header string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		header = r.Header.Get("Authorization")
		http.Redirect(w, r, "/elsewhere", http.StatusTemporaryRedirect)
	}))
	t.Cleanup(server.Close)
	if _, err := open(t, server.URL).Tasks.Get(t.Context(), &broodv1.GetRequest{Id: "x"}); err == nil {
		t.Error("a redirect was followed")
	}
	if header != "Bearer the-token" {
		t.Errorf("header %q", header)
	}
}

func TestParseAddress(t *testing.T) {
	for in, want := range map[string]string{
		"http://a:1": "http://a:1", "https://b.example.org/": "https://b.example.org", "127.0.0.1:7717": "http://127.0.0.1:7717",
		"localhost:1": "http://localhost:1", "[::1]:5": "http://[::1]:5", "b.example.org:443": "https://b.example.org:443",
		"unix:/run/brood.sock": "unix:/run/brood.sock",
	} {
		if got, err := ParseAddress(in); got != want || err != nil {
			t.Errorf("%s: %q, %v", in, got, err)
		}
	}
	for _, in := range []string{"", "host", "ftp://a", "http://", "http://u:p@a:1", "http://a:1?x=y", "unix:", "://", "a:b:c"} {
		if got, err := ParseAddress(in); err == nil {
			t.Errorf("%s is taken as %s", in, got)
		}
	}
}

func TestReadToken(t *testing.T) {
	dir := t.TempDir()
	for text, want := range map[string]string{"abc\n": "abc", " x \r\n": "x", "": "", "a b": "", "a\nb\n": "", "é": "", strings.Repeat("x", 5000): ""} {
		path := filepath.Join(dir, "token")
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := ReadToken(path)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", text, got, err)
		}
		if err != nil && strings.Contains(err.Error(), "a b") {
			t.Errorf("the error tells the token: %v", err)
		}
	}
}

func TestPausesGrowAndHeedTheServer(t *testing.T) {
	p := patience{limit: time.Hour}
	for row := range 20 {
		p.row = row
		if got := p.pause(0); got < firstPause/2 || got > longestPause {
			t.Errorf("pause %d is %v", row, got)
		}
	}
	if got := p.pause(time.Minute); got != time.Minute {
		t.Errorf("the server asked for a minute, the pause is %v", got)
	}
}

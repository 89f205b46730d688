package httpapi

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/sync/semaphore"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/broker"
)

func TestBodiesThatAreTooLarge(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBody = 100_000 }})
	big := strings.Repeat("x", 150_000)
	huge := strings.Repeat("x", 5<<20) // more than is read to answer
	for name, c := range map[string]broodv1.TaskServiceClient{"connect": r.tasks(), "grpc": r.tasks(connect.WithGRPC()), "gzip": r.tasks(connect.WithSendGzip())} {
		for _, p := range []string{big, huge} {
			_, err := c.Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok", Input: payload(p)})
			if connect.CodeOf(err) != connect.CodeResourceExhausted || !strings.Contains(err.Error(), "larger") && !strings.Contains(err.Error(), "exceeded") {
				t.Errorf("%s, %d bytes: %v", name, len(p), err)
			}
		}
	}
	if got := r.curl(t, "Submit", `{"payload":"`+big+`"}`); got.status != 429 || got.json(t)["code"] != "resource_exhausted" {
		t.Errorf("curl: %d %s", got.status, got.body)
	}
	submit(t, r.tasks(), &broodv1.SubmitRequest{Task: "ok", Input: payload(big[:90_000])})
	r.allFree(t)
}

// allFree checks that no request has left anything taken.
func (r *rig) allFree(t testing.TB) {
	t.Helper()
	for what, c := range map[string]struct {
		free *semaphore.Weighted
		n    int
	}{
		"waits": {r.api.waits.free, r.api.cfg.Limits.MaxWaits}, "streams": {r.api.streams.free, r.api.cfg.Limits.MaxStreams}, "room": {r.api.room, r.api.cfg.Limits.MaxBuffered},
	} {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), 10*time.Second)
		if err := c.free.Acquire(ctx, int64(c.n)); err != nil {
			t.Errorf("%s: some are taken for ever", what)
		} else {
			c.free.Release(int64(c.n))
		}
		cancel()
	}
}

// bomb is size MiB of zeros, compressed.
func bomb(t testing.TB, size int) []byte {
	t.Helper()
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return bytes.Repeat(b.Bytes(), size)
}

func TestInflaterStopsAtItsLimit(t *testing.T) {
	f := &inflater{limit: 100_000, turns: make(chan struct{}, 1)}
	for range 2 {
		if err := f.Reset(bytes.NewReader(bomb(t, 10))); err != nil {
			t.Fatal(err)
		}
		if n, err := io.Copy(io.Discard, f); n != 100_001 || !errors.Is(err, errInflated) {
			t.Errorf("%d bytes, %v", n, err)
		}
		_ = f.Close()
	}
}

func TestBombIsNotInflated(t *testing.T) {
	r := newRig(t, setup{idle: true})
	small := bomb(t, 1024)
	for name, c := range map[string]struct {
		body   []byte
		header []string
	}{
		"unary": {small, []string{"Content-Type", "application/proto", "Content-Encoding", "gzip"}},
		"enveloped": {append(binary.BigEndian.AppendUint32([]byte{1}, uint32(len(small))), small...),
			[]string{"Content-Type", "application/grpc-web+proto", "Grpc-Encoding", "gzip"}},
	} {
		got := r.send(t, http.MethodPost, "Submit", string(c.body), c.header...)
		said := string(got.body) + fmt.Sprint(got.header)
		if !strings.Contains(said, "resource_exhausted") && !strings.Contains(said, "Grpc-Status:[8]") && !strings.Contains(said, "grpc-status: 8") {
			t.Errorf("%s: %d %.300s", name, got.status, said)
		}
	}
	if got := r.send(t, http.MethodPost, "Submit", "not gzip", "Content-Type", "application/json", "Content-Encoding", "gzip"); got.status != 400 {
		t.Errorf("no gzip: %d %s", got.status, got.body)
	}
	if got := r.send(t, http.MethodPost, "Submit", "x", "Content-Type", "application/json", "Content-Encoding", "br"); got.status != 501 {
		t.Errorf("unknown compression: %d %s", got.status, got.body)
	}
	for range 10 { // turns are given back
		submit(t, r.tasks(connect.WithSendGzip()), &broodv1.SubmitRequest{Task: "ok", Input: payload("x")})
	}
	r.allFree(t)
}

func TestBodiesThatAreNoMessages(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBody = 4 << 20 }})
	for body, says := range map[string]string{
		"":                                    "send {}",
		"null":                                "",
		"[]":                                  "syntax error",
		"{":                                   "",
		`{"task":1}`:                          "task",
		`{"taks":"x"}`:                        `unknown field "taks"`,
		`{"payload":1,"payloadBytes":"eA=="}`: "oneof",
		`{"payloadBytes":"***"}`:              "payloadBytes",
		`{"payload":` + strings.Repeat("[", 20_000) + strings.Repeat("]", 20_000) + `}`: "recursion",
		"{\"payload\":\"\xff\"}":                                 "UTF-8",
		`{"payload":[` + strings.Repeat("1,", maxValues) + `1]}`: "payloadBytes",
		"\x00\x01\x02": "",
	} {
		got := r.curl(t, "Submit", body)
		m := got.json(t)
		if got.status != 400 || m["code"] != "invalid_argument" || !strings.Contains(m["message"].(string), says) {
			t.Errorf("%.40q: %d %.300s, want it to say %q", body, got.status, got.body, says)
		}
	}
	if got := r.send(t, http.MethodPost, "Submit", "\xff\xff\xff", "Content-Type", "application/proto"); got.status != 400 {
		t.Errorf("no protobuf: %d %s", got.status, got.body)
	}
}

func TestTooMany(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBatch, l.MaxWaits, l.MaxStreams = 3, 2, 1 }})
	c := r.tasks()
	four := make([]*broodv1.SubmitRequest, 4)
	for i := range four {
		four[i] = &broodv1.SubmitRequest{Task: "ok"}
	}
	if _, err := c.SubmitBatch(t.Context(), &broodv1.SubmitBatchRequest{Tasks: four}); connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.Contains(err.Error(), "4 are more than 3") {
		t.Errorf("batch: %v", err)
	}
	ids := []string{submit(t, c, four[0]), submit(t, c, four[1]), submit(t, c, four[2])}
	s, err := c.WaitMany(t.Context(), &broodv1.WaitManyRequest{Ids: ids})
	if err != nil {
		t.Fatal(err)
	}
	if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeResourceExhausted || !strings.Contains(s.Err().Error(), "limit of 2") {
		t.Errorf("waits: %v", s.Err())
	}
	_ = s.Close()
	watching, err := r.admin().WatchEvents(t.Context(), &broodv1.WatchEventsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	watching.ResponseHeader() // it has begun
	s, err = c.WaitMany(t.Context(), &broodv1.WaitManyRequest{Ids: ids[:1]})
	if err != nil {
		t.Fatal(err)
	}
	if s.Receive() || connect.CodeOf(s.Err()) != connect.CodeResourceExhausted || !retryInfo(t, s.Err()) {
		t.Errorf("streams: %v", s.Err())
	}
	_ = s.Close()
	r.api.Stop()
	for watching.Receive() {
	}
	_ = watching.Close()
	r.allFree(t)
}

// Values of JSON are counted as what they take in memory: a few requests fill the room, and one alone is taken.
func TestRoomIsForWhatJSONBecomes(t *testing.T) {
	enqueued, proceed := make(chan struct{}), make(chan struct{})
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBuffered = 4 << 20 }, backend: func(b Backend) Backend {
		return held{b, enqueued, proceed}
	}})
	list := `{"task":"ok","payload":[` + strings.Repeat("1,", 20_000) + `1]}` // 40 kB that become 3 MB
	first := make(chan reply, 1)
	go func() { first <- r.curl(t, "Submit", list) }()
	<-enqueued
	if got := r.curl(t, "Submit", list); got.status != 429 || got.header.Get("Retry-After") == "" {
		t.Errorf("a second one: %d %s", got.status, got.body)
	}
	close(proceed)
	if got := <-first; got.status != 200 {
		t.Errorf("the first one: %d %s", got.status, got.body)
	}
	r.allFree(t)
	many := `{"task":"ok","payload":[` + strings.Repeat("1,", 100_000) + `1]}` // more than there is room for in all
	go func() { first <- r.curl(t, "Submit", many) }()
	<-enqueued
	if got := <-first; got.status != 200 {
		t.Errorf("a large one alone: %d %s", got.status, got.body)
	}
	r.allFree(t)
	whole := &broodv1.SubmitRequest{Task: "ok"} // in protobuf, and as one of a stream
	if err := (strictJSON{}).Unmarshal([]byte(list), whole); err != nil {
		t.Fatal(err)
	}
	if got, want := growth(whole), int64(20_002*valueSize); got != want {
		t.Errorf("the list grows by %d, want %d", got, want)
	}
	if got, want := growth(&broodv1.SubmitBatchRequest{Tasks: []*broodv1.SubmitRequest{whole, {Input: payload("x")}, whole}}), int64(2*20_002*valueSize); got != want {
		t.Errorf("the lists grow by %d, want %d", got, want)
	}
}

// held is a supervisor whose store takes its time.
type held struct {
	Backend
	enqueued, proceed chan struct{}
}

func (h held) Enqueue(ctx context.Context, ms []*broker.Message) []error {
	h.enqueued <- struct{}{}
	<-h.proceed
	return h.Backend.Enqueue(ctx, ms)
}

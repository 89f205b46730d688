package httpapi

import (
	"encoding/binary"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// head says that a message of some bytes follows.
func head(size uint32) []byte { return binary.BigEndian.AppendUint32([]byte{0}, size) }

// Streams whose messages were begun and do not come are cut off, and give back what they were to take.
func TestMessagesOfStreamsThatStall(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.Stall, l.MaxBody, l.MaxBuffered = 300*time.Millisecond, 1<<20, 2<<20 }})
	var all sync.WaitGroup
	for _, begun := range [][]byte{head(1 << 20), append(head(1<<20), make([]byte, 1000)...), head(1 << 20)[:3], append(head(0), 0)} {
		all.Go(func() {
			body, send := io.Pipe()
			defer send.Close()
			go func() { _, _ = send.Write(begun) }()
			req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, r.web.URL+broodv1.TaskServiceSubmitStreamProcedure, body)
			if err != nil {
				t.Error(err)
				return
			}
			req.Header.Set("Content-Type", "application/connect+proto")
			res, err := r.http2.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer res.Body.Close()
			said, _ := io.ReadAll(res.Body)
			if !strings.Contains(string(said), "deadline_exceeded") || !strings.Contains(string(said), "that was begun") {
				t.Errorf("%d bytes and no more are answered %q", len(begun), said)
			}
		})
	}
	all.Wait()
	r.allFree(t)
}

// A message is read when there is room for it, and not before.
func TestMessageOfStreamWaitsForRoom(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBody, l.MaxBuffered = 1000, 1000 }})
	body, send := io.Pipe()
	req, leave := r.api.envelop(httptest.NewRequest(http.MethodPost, "/", body), http.NewResponseController(httptest.NewRecorder()))
	if err := r.api.room.Acquire(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	var free atomic.Bool
	read := make(chan error, 1)
	go func() {
		_, err := io.ReadFull(req.Body, make([]byte, 5+1000))
		if !free.Load() {
			t.Error("a message is read that there is no room for")
		}
		read <- err
	}()
	if _, err := send.Write(head(1000)); err != nil { // all of it is read
		t.Fatal(err)
	}
	go func() { _, _ = send.Write(make([]byte, 1000)) }()
	free.Store(true)
	r.api.room.Release(1)
	if err := <-read; err != nil {
		t.Error(err)
	}
	if r.api.room.TryAcquire(1) {
		t.Error("the message is not counted")
	}
	leave()
	r.allFree(t)
}

func TestMessageOfStreamThatIsTooLarge(t *testing.T) {
	r := newRig(t, setup{idle: true, limits: func(l *Limits) { l.MaxBody = 1000 }})
	s, err := r.tasks().SubmitStream(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	_ = s.Send(&broodv1.SubmitRequest{Task: "ok", Input: payload(strings.Repeat("x", 2000))})
	if _, err := s.Receive(); err == nil || !strings.Contains(err.Error(), "resource_exhausted") || !strings.Contains(err.Error(), "larger than 1000") {
		t.Errorf("got %v", err)
	}
	_ = s.CloseRequest()
	_ = s.CloseResponse()
	r.allFree(t)
}

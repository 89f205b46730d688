package httpapi

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// FuzzBodies sends any bytes to every method, as JSON and as protobuf: each gets an answer that can
// be read, and none of them says that the server made a mistake.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"task":"ok","payload":{"a":[1,null,true,"x",1e308]},"options":{"delay":"1s","priority":3,"meta":{"k":"v"}}}`,
		`{"tasks":[{"id":"a"},{"payloadBytes":"eA=="}]}`, `{"id":"x","timeout":"0.001s"}`, `{"ids":["x","y"],"timeout":"0s"}`, `{"pool":"faulty","workers":3}`,
		`{"pageToken":"zz","pageSize":7}`, `{"options":{"notBefore":"2026-01-01T00:00:00Z","uniqueKey":"k","uniqueTtl":"3s","concurrencyKey":"c","concurrencyLimit":-4}}`,
		`[`, `null`, "\x00", "\xff\xff", `{"a":{"a":{"a":{}}}}`, `{"undo":true,"timeout":"-3s"}`,
	} {
		f.Add([]byte(seed))
	}
	whole, err := proto.Marshal(&broodv1.SubmitBatchRequest{Tasks: []*broodv1.SubmitRequest{{Id: "x", Input: payload("y"), Options: &broodv1.TaskOptions{UniqueKey: "k"}}}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(whole)
	r := newRig(f, setup{idle: true})
	r.api.Stop() // nobody waits long
	handler := r.api.Handler()
	f.Fuzz(func(t *testing.T, body []byte) {
		methods(func(procedure string, m protoreflect.MethodDescriptor) {
			if strings.HasSuffix(procedure, "/Drain") || m.IsStreamingClient() {
				return // Drain waits; a stream is for FuzzStream
			}
			for _, codec := range []string{"json", "proto"} {
				kind, sent := "application/"+codec, body
				if m.IsStreamingServer() {
					kind, sent = "application/connect+"+codec, append(binary.BigEndian.AppendUint32([]byte{0}, uint32(len(body))), body...)
				}
				req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+procedure, bytes.NewReader(sent))
				req.Header.Set("Content-Type", kind)
				w := httptest.NewRecorder()
				handler.ServeHTTP(w, req)
				judge(t, procedure, body, w, m.IsStreamingServer())
			}
		})
	})
}

// judge looks at one answer.
func judge(t *testing.T, procedure string, body []byte, w *httptest.ResponseRecorder, stream bool) {
	t.Helper()
	out := w.Body.Bytes()
	if w.Code == http.StatusOK && !stream {
		return
	}
	if stream { // the last envelope holds the error
		for len(out) >= 5 && out[0]&2 == 0 {
			out = out[5+binary.BigEndian.Uint32(out[1:5]):]
		}
		if len(out) < 5 {
			t.Fatalf("%s %q: no end: %q", procedure, body, w.Body)
		}
		out = out[5:]
	}
	var said struct {
		Code, Message string
		Error         struct{ Code, Message string }
	}
	if err := json.Unmarshal(out, &said); err != nil {
		t.Fatalf("%s %q: %d %q: %v", procedure, body, w.Code, out, err)
	}
	for code, message := range map[string]string{said.Code: said.Message, said.Error.Code: said.Error.Message} {
		if strings.HasPrefix(message, "protocol error") || strings.HasPrefix(message, "unmarshal end stream message") {
			continue // by its specification, Connect calls what breaks its envelopes internal
		}
		if code == connect.CodeInternal.String() || code == connect.CodeUnknown.String() {
			t.Fatalf("%s %q: %q", procedure, body, out)
		}
	}
	if !stream && (said.Code == "" || said.Message == "") {
		t.Fatalf("%s %q: %d %q", procedure, body, w.Code, out)
	}
}

// FuzzStream sends any bytes as the body of a SubmitStream.
func FuzzStream(f *testing.F) {
	envelope := func(flags byte, body string) []byte {
		return append(binary.BigEndian.AppendUint32([]byte{flags}, uint32(len(body))), body...)
	}
	f.Add(append(envelope(0, `{"id":"a"}`), envelope(0, `{"id":"b","options":{"priority":9999}}`)...))
	f.Add(envelope(2, `{}`))
	f.Add(envelope(1, `{}`))
	f.Add(envelope(2, "00"))
	f.Add([]byte{0, 0xff, 0xff, 0xff, 0xff})
	r := newRig(f, setup{idle: true})
	handler := r.api.Handler()
	f.Fuzz(func(t *testing.T, body []byte) {
		req := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "http://localhost"+broodv1.TaskServiceSubmitStreamProcedure, bytes.NewReader(body))
		req.ProtoMajor = 2
		req.Header.Set("Content-Type", "application/connect+json")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, req)
		judge(t, "SubmitStream", body, w, true)
		if !r.api.room.TryAcquire(int64(r.api.cfg.Limits.MaxBuffered)) {
			t.Fatal("room is taken for ever")
		}
		r.api.room.Release(int64(r.api.cfg.Limits.MaxBuffered))
	})
}

// FuzzNumbers compares what exact says of numbers with what JSON makes of them.
func FuzzNumbers(f *testing.F) {
	for _, n := range []string{"0", "-0", "1", "9007199254740993", "9007199254740992", "0.1", "1e400", "1E-400", "0.1000000000000000055511151231257827", "123456789012345678901234567890", "1.50e+2", "0e5", "100", "00", "5e-324", "1e22"} {
		f.Add(n)
	}
	f.Fuzz(func(t *testing.T, number string) {
		if !json.Valid([]byte(number)) || strings.ContainsAny(number, "\"[{ntf \t\r\n") || len(number) > 400 {
			return
		}
		v, err := parseValue([]byte(number))
		if err != nil {
			return
		}
		back, err := appendValue(nil, v)
		if err != nil {
			t.Fatal(err)
		}
		if !sameNumber(t, number, string(back)) {
			t.Errorf("%s became %s", number, back)
		}
	})
}

package cli

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestE2EArguments(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--ordered", "hello", "wörld <&>").run(exitOK)
	r := b.results()
	if len(r) != 2 || r[0].ID != "arg-1" || string(r[0].Result) != `"hello"` || string(r[1].Result) != `"wörld <&>"` {
		t.Errorf("results %s", b.stdout.String())
	}
	if r[0].Task != "echo" || r[0].Status != "completed" || r[0].Attempts != nil {
		t.Errorf("result %+v", r[0])
	}
	b.says("2 tasks in", "2 completed", "latency")
}

func TestE2EBadLinesFailAlone(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--max-payload", "1KiB").stdin(
		byteOrderMark+`{"id":"good","payload":1}`,
		``,
		`{"id":"cut","payload":`,
		`{"payload":1,"surprise":2}`,
		`{"id":"both","payload":1,"payload_base64":""}`,
		`{"id":"unit","payload":1,"hard_timeout":5}`,
		`{"id":"good","payload":2}`,
		`{"id":"none","task":"nope","payload":1}`,
		`{"id":"large","payload":"`+strings.Repeat("x", 2000)+`"}`,
		`{"id":"huge","payload":"`+strings.Repeat("x", 1<<20)+`"}`,
		`{"payload":11}`,
	).run(exitIncomplete)
	want := map[string]struct{ status, kind, message string }{
		"cut":     {"rejected", "invalid", "line 3: not JSON"},
		"line-4":  {"rejected", "invalid", `line 4: unknown key "surprise"`},
		"both":    {"rejected", "invalid", "line 5: give one of"},
		"unit":    {"rejected", "invalid", "line 6: hard_timeout: expected"},
		"none":    {"rejected", "unknown_task", "line 8: "},
		"large":   {"rejected", "invalid", "line 9: invalid task: payload is 2002 bytes, the limit is 1024"},
		"huge":    {"rejected", "invalid", "line 10: the line is 1048602 bytes long"},
		"line-11": {"completed", "", ""},
	}
	results := b.results()
	for _, r := range results {
		if r.ID == "good" {
			continue
		}
		w, ok := want[r.ID]
		delete(want, r.ID)
		kind, message := "", ""
		if r.Error != nil {
			kind, message = r.Error.Kind, r.Error.Message
		}
		if !ok || r.Status != w.status || kind != w.kind || !strings.HasPrefix(message, w.message) {
			t.Errorf("%s: %s %s %q, want %+v", r.ID, r.Status, kind, message, w)
		}
	}
	if len(want) > 0 {
		t.Errorf("no results for %v", want)
	}
	i := slices.IndexFunc(results, func(r resultLine) bool { return r.ID == "good" && r.Status == "rejected" })
	if i < 0 || results[i].Error.Kind != "duplicate" || !strings.HasPrefix(results[i].Error.Message, "line 7: ") {
		t.Errorf("the second good is not a duplicate: %s", head(b.stdout.String()))
	}
	b.says("did not complete:", "cut: invalid: line 3")
}

func TestE2EPayloadsReturnByteForByte(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var in bytes.Buffer
	want := make(map[string][]byte)
	for i := range 300 {
		raw := make([]byte, random.IntN(1<<uint(random.IntN(18))))
		for j := range raw {
			raw[j] = byte(random.Uint32())
		}
		id := fmt.Sprintf("t%d", i)
		want[id] = raw
		fmt.Fprintf(&in, "{\"id\":%q,\"payload_base64\":%q}\n", id, base64.StdEncoding.EncodeToString(raw))
	}
	deep := strings.Repeat(`{"a":[`, 1000) + `"\ud800😀\u0000 1"` + strings.Repeat(`]}`, 1000)
	fmt.Fprintf(&in, "{\"id\":\"deep\",\"payload\":%s}\n", deep)
	number := `123456789012345678901234567890.1234567890e-400`
	fmt.Fprintf(&in, "{\"id\":\"number\",\"payload\": %s }\n", number)

	b := newBrood(t, "run", "--plugin", "echo", "--workers", "2")
	b.cmd.Stdin = &in
	got := byID(t, b.run(exitOK).results())
	if string(got["deep"].Result) != deep || string(got["number"].Result) != number {
		t.Errorf("a JSON payload changed: %s", got["number"].Result)
	}
	for id, raw := range want {
		r, ok := got[id]
		payload := []byte(r.Result)
		if r.Base64 != nil {
			payload, _ = base64.StdEncoding.DecodeString(*r.Base64)
		}
		if !ok || !sameJSON(payload, raw) {
			t.Errorf("%s: %d bytes became %d", id, len(raw), len(payload))
		}
	}
}

func TestE2EPayloadFile(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo")
	b.inDir("p.json", `{"from":"file"}`)
	r := b.stdin(`{"payload_file":"p.json"}`).run(exitOK).results()
	if string(r[0].Result) != `{"from":"file"}` {
		t.Errorf("result %s", r[0].Result)
	}
}

func TestE2EInputFile(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo", "--input", "in.jsonl")
	b.inDir("in.jsonl", `{"payload":1}`)
	if r := b.run(exitOK).results(); len(r) != 1 || r[0].ID != "line-1" {
		t.Errorf("results %+v", r)
	}
	newBrood(t, "run", "--plugin", "echo", "--input", "none").run(exitCannotRun).says("input: open none: no such file")
	newBrood(t, "run", "--plugin", "echo", "--input", ".").run(exitCannotRun).says("input: read .: is a directory")
	newBrood(t, "run", "--plugin", "echo", "--input", "x", "arg").run(exitUsage).says("not both")
}

func TestE2EInputStartsWithWhatIsThere(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo")
	in, feed := pipe(t)
	results, out := pipe(t)
	b.cmd.Stdin, b.cmd.Stdout = in, out
	b.start()
	in.Close()
	out.Close()
	// The next line is written only when the result of the one before is there.
	for i := range 3 {
		fmt.Fprintf(feed, "{\"payload\":%d}\n", i)
		line := make([]byte, 4096)
		n, err := results.Read(line)
		if err != nil || !strings.Contains(string(line[:n]), fmt.Sprintf(`"result":%d,`, i)) {
			t.Fatalf("result %d: %q, %v", i, line[:n], err)
		}
	}
	feed.Close()
	b.exit(exitOK)
}

func TestE2EClosedStandardInput(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "echo")
	b.cmd.Args = append([]string{"sh", "-c", `exec "$@" <&-`, "sh", b.cmd.Path}, b.cmd.Args[1:]...)
	b.cmd.Path = "/bin/sh"
	b.run(exitCannotRun).says("input: standard input is closed")
}

func TestE2EEmptyInput(t *testing.T) {
	newBrood(t, "run", "--plugin", "echo").run(exitOK).says("0 tasks in")
}

func TestE2ETemplate(t *testing.T) {
	b := newBrood(t, "run", "--plugin", "exec", "--ordered", "--", "printf", "<%s>", "{}").
		stdin("a b", `{"id":"own","payload":"c"}`, "$(x)").run(exitOK)
	r := b.results()
	if len(r) != 3 || r[0].ID != "line-1" || r[1].ID != "own" {
		t.Fatalf("results %s", b.stdout.String())
	}
	for i, want := range []string{`"<a b>"`, `"<c>"`, `"<$(x)>"`} {
		if !strings.Contains(string(r[i].Result), `"stdout":`+want) {
			t.Errorf("result %d is %s, want stdout %s", i, r[i].Result, want)
		}
	}
}

func TestE2ETaskArgumentsAfterDashes(t *testing.T) {
	r := newBrood(t, "run", "--plugin", "echo", "--ordered", "a", "--", "--b", "--").run(exitOK).results()
	if len(r) != 3 || string(r[1].Result) != `"--b"` || string(r[2].Result) != `"--"` {
		t.Errorf("results %+v", r)
	}
}

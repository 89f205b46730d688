package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/timestamppb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// shown is what a command writes.
func shown(t *testing.T, show func(r *remote) error) string {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := show(newRemote(Streams{Out: f, Err: f})); err != nil {
		t.Fatal(err)
	}
	return readFile(t, f.Name())
}

func lookSame(t *testing.T, got, want string) {
	t.Helper()
	if want = strings.TrimPrefix(want, "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

var onePoolAnswer = &broodv1.ListPoolsResponse{Draining: true, Pools: []*broodv1.Pool{
	{
		Name: "thumbnails", Plugin: "/p/thumbnail", Tasks: []string{"thumbnail"}, Workers: 4, WorkersReady: 3, Paused: true,
		Degraded: "no worker\nbecomes ready", ReloadError: "exit code 1", Queued: 1200000, Scheduled: 3, Leased: 4, Dead: 5,
		Oldest: durationpb.New(90 * time.Minute), Running: 2, Done: 77, Restarts: map[string]uint64{"ttl": 2},
	},
	{Name: "e", Tasks: []string{"a", "b"}, Workers: 1, WorkersReady: 1},
}}

func TestPoolsTable(t *testing.T) {
	lookSame(t, string(showPools(onePoolAnswer)), `
POOL        STATE                     WORKERS  RUNNING  QUEUED   OLDEST  SCHEDULED  LEASED  DEAD  DONE  TASKS
thumbnails  paused,draining,degraded  3/4      2        1200000  1h30m   3          4       5     77    thumbnail
e           draining                  1/1      0        0        -       0          0       0     0     a,b
thumbnails: degraded                         no worker
                                             becomes ready
thumbnails: the last reload was rolled back  exit code 1
`)
}

func TestObjects(t *testing.T) {
	pool := appendJSON(nil, newPoolObject(onePoolAnswer.GetPools()[0], true))
	lookSame(t, string(pool), `{"name":"thumbnails","plugin":"/p/thumbnail","tasks":["thumbnail"],"workers":4,"workers_ready":3,"paused":true,"draining":true,`+
		`"degraded":"no worker\nbecomes ready","reload_error":"exit code 1","queued":1200000,"scheduled":3,"leased":4,"dead":5,"oldest_ms":5400000,"running":2,"done":77,"restarts":{"ttl":2}}`)
	worker := appendJSON(nil, newWorkerObject(&broodv1.Worker{
		Name: "w-1", Pool: "w", Pid: 7, State: "busy", Task: "t", RssBytes: 1 << 20, PeakRssBytes: 1 << 21,
		Cpu: durationpb.New(1500 * time.Microsecond), Done: 9, Age: durationpb.New(time.Hour),
	}))
	lookSame(t, string(worker), `{"name":"w-1","pool":"w","pid":7,"state":"busy","task":"t","rss":1048576,"peak_rss":2097152,"cpu_ms":1.5,"done":9,"age_ms":3600000}`)
	dead := appendJSON(nil, newDeadObject(deadTask()))
	lookSame(t, string(dead), `{"id":"d","task":"resize","pool":"p","state":"dead","priority":5,"submitted_at":"2026-01-02T03:04:05Z","meta":{"k":"v"},"starts":2,`+
		`"error":{"kind":"crashed","message":"killed by SIGSEGV"},"attempts":[{"n":2,"worker":"p-1","pid":9,"outcome":"crashed","signal":"SIGSEGV","cpu_ms":0,"run_ms":3,`+
		`"output_tail":"one\ntwo"}],"queued_ms":1000,"run_ms":3,"died_at":"2026-01-02T03:05:05Z","payload":{"a":1}}`)
}

func deadTask() *broodv1.DeadLetter {
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	return &broodv1.DeadLetter{
		DiedAt: timestamppb.New(at.Add(time.Minute)),
		Input:  &broodv1.DeadLetter_PayloadBytes{PayloadBytes: []byte(`{"a":1}`)},
		Task: &broodv1.Task{
			Id: "d", Task: "resize", Pool: "p", State: broodv1.TaskState_TASK_STATE_DEAD, SubmittedAt: timestamppb.New(at), Priority: 5,
			Meta: map[string]string{"k": "v"}, Error: &broodv1.Error{Kind: "crashed", Message: "killed by SIGSEGV"}, Starts: 2,
			Attempts: []*broodv1.Attempt{{N: 2, Worker: "p-1", Pid: 9, Outcome: "crashed", Signal: "SIGSEGV", Run: durationpb.New(3 * time.Millisecond), OutputTail: "one\ntwo"}},
			Queued:   durationpb.New(time.Second), Run: durationpb.New(3 * time.Millisecond),
		},
	}
}

func TestDeadLetterForPeople(t *testing.T) {
	d := deadTask()
	lookSame(t, string(describeDead(d)), fmt.Sprintf(`
id         d
task       resize
pool       p
state      dead
submitted  %s
priority   5
meta       k=v
starts     2
queued     1s
run        3ms
error      crashed: killed by SIGSEGV
attempt    2 on p-1 (pid 9): crashed
died       %s
payload    {"a":1}
output     one
           two
`, here(d.GetTask().GetSubmittedAt(), time.DateTime), here(d.GetDiedAt(), time.DateTime)))
}

// here is a time as a person on this machine writes it.
func here(t *timestamppb.Timestamp, layout string) string { return t.AsTime().Local().Format(layout) }

func TestEventLines(t *testing.T) {
	e := &broodv1.WatchEventsResponse{
		Time: timestamppb.New(time.Date(2026, 1, 2, 3, 4, 5, 6e6, time.UTC)), Kind: "worker_exited", Text: "worker \x1b[2J left", Dropped: 2,
	}
	lookSame(t, shown(t, func(r *remote) error { return r.event(e) }), `
brood: 2 events were lost here: they came faster than they were read
`+here(e.GetTime(), "15:04:05.000")+`  worker \x1b[2J left
`)
	lookSame(t, shown(t, func(r *remote) error { r.json = true; return r.event(e) }),
		`{"time":"2026-01-02T03:04:05.006Z","kind":"worker_exited","text":"worker \u001b[2J left","dropped":2}`+"\n")
}

// What strangers wrote must not move a table's columns or a terminal's cursor.
func TestTableCellsAreHarmless(t *testing.T) {
	table := newTable("A", "B")
	table.row("x\ty\nz\x1b[1m", "")
	lookSame(t, string(table.bytes()), "A             B\nx y z\\x1b[1m  -\n")
}

func TestShowDuration(t *testing.T) {
	for d, want := range map[time.Duration]string{
		0: "", 1234567: "1.23ms", 999 * time.Microsecond: "999µs", 59 * time.Second: "59s", 90 * time.Second: "1m30s",
		time.Minute: "1m", time.Hour: "1h", 90 * time.Minute: "1h30m", 10 * time.Second: "10s", 26*time.Hour + 3*time.Second: "26h",
	} {
		if got := showDuration(d); got != want {
			t.Errorf("%d is shown as %q, want %q", d, got, want)
		}
	}
}

// A request must say the same to the server however it was given.
func TestSubmitLineReachesTheRequest(t *testing.T) {
	o := newSubmitOptions(Streams{})
	for _, s := range o.settings() {
		if value, ok := map[string]string{"priority": "7", "delay": "1h", "meta": "a=b", "task": "deft"}[s.name]; ok {
			if err := s.set(value); err != nil {
				t.Fatal(err)
			}
		}
	}
	s, err := parseSubmitLine([]byte(`{"id":"x","payload":{"b": 1},"at":"2026-01-02T03:04:05+01:00","expires":"2h","unique_key":"u","unique_ttl":"3h",`+
		`"concurrency_key":"c","concurrency_limit":4,"hard_timeout":"0s","max_attempts":2,"at_most_once":true}`), o.defaults, o.more, 100)
	if err != nil {
		t.Fatal(err)
	}
	want := &broodv1.SubmitRequest{
		Id: "x", Task: "deft", Input: &broodv1.SubmitRequest_PayloadBytes{PayloadBytes: []byte(`{"b": 1}`)},
		Options: &broodv1.TaskOptions{
			Priority: 7, NotBefore: timestamppb.New(time.Date(2026, 1, 2, 2, 4, 5, 0, time.UTC)), ExpiresIn: durationpb.New(2 * time.Hour),
			HardTimeout: durationpb.New(-1), MaxAttempts: 2, AtMostOnce: true, UniqueKey: "u", UniqueTtl: durationpb.New(3 * time.Hour),
			ConcurrencyKey: "c", ConcurrencyLimit: 4, Meta: map[string]string{"a": "b"},
		},
	}
	if got := s.Request(); !proto.Equal(got, want) {
		t.Errorf("got  %v\nwant %v", got, want)
	}
}

func TestSubmitLineRejects(t *testing.T) {
	for in, want := range map[string]string{
		`{"payload":1,"dely":"1s"}`:                              `unknown key "dely"; the keys are id, task`,
		`{"payload":1,"delay":5}`:                                `delay: expected a string with a unit such as "30s", found "5"`,
		`{"payload":1,"at":"tomorrow"}`:                          `at: expected a time such as 2026-01-31T08:30:00Z`,
		`{"payload":1,"at":"2030-01-01T00:00:00Z","delay":"1s"}`: `give delay or at, not both`,
		`{"payload":1,"delay":"1s","delay":"2s"}`:                `delay is given twice`,
		`{"payload":1,"unique_key":""}`:                          `unique_key: expected some text`,
		`{"payload":1,"unique_ttl":"1s"}`:                        `unique_ttl has no effect without unique_key`,
		`{"payload":1,"concurrency_limit":0}`:                    `concurrency_limit: expected a whole number from 1`,
		`{"delay":"1s"}`:                                         `a payload is missing`,
	} {
		o := newSubmitOptions(Streams{})
		if _, err := parseSubmitLine([]byte(in), o.defaults, o.more, 100); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", in, err, want)
		}
	}
	if _, err := parseTaskLine([]byte(`{"payload":1,"delay":"1s"}`), 100); err == nil || strings.Contains(err.Error(), "unique_key") {
		t.Errorf("a key for servers in a run: %v", err)
	}
}

func FuzzParseSubmitLine(f *testing.F) {
	f.Add(`{"payload":1,"delay":"1s","unique_key":"k"}`)
	f.Add(`{"payload":"x","at":"2026-01-02T03:04:05Z","concurrency_key":"k","concurrency_limit":2}`)
	f.Fuzz(func(t *testing.T, text string) {
		o := newSubmitOptions(Streams{})
		s, err := parseSubmitLine([]byte(text), o.defaults, o.more, 1000)
		if err == nil && s.Delay != 0 && !s.At.IsZero() {
			t.Fatal("both delay and at")
		}
		if err == nil {
			s.Request()
		}
	})
}

func TestPermute(t *testing.T) {
	app := newApp(Streams{}, tail{})
	for in, want := range map[string]string{
		"get ID --json":                     "get --json -- ID",
		"get --json ID":                     "get --json -- ID",
		"wait a --timeout 5s b":             "wait --timeout 5s -- a b",
		"wait a --timeout=5s b":             "wait --timeout=5s -- a b",
		"submit x --wait -- --y":            "submit --wait -- x --y",
		"submit --meta a=b -":               "submit --meta a=b -- -",
		"dead retry x --pool":               "dead retry --pool -- x",
		"dead list":                         "dead list",
		"workers recycle w-1 --json":        "workers recycle --json -- w-1",
		"run --plugin p x --ordered":        "run --plugin p x --ordered",
		"nosuch x --y":                      "nosuch x --y",
		"get ID --generate-bash-completion": "get ID --generate-bash-completion",
	} {
		got := permute(app, append([]string{"brood"}, strings.Fields(in)...))
		if strings.Join(got[1:], " ") != want {
			t.Errorf("%s: %q, want %s", in, got[1:], want)
		}
	}
}

// Every command that talks to a server says how to use it, with an example.
func TestHelpHasExamples(t *testing.T) {
	commands := newApp(Streams{}, tail{}).Commands
	for i := 0; i < len(commands); i++ {
		c := commands[i]
		commands = append(commands, c.Subcommands...)
		if c.Name == "version" || c.Name == "completion" || c.Name == "plugins" || c.Name == "help" {
			continue
		}
		if !strings.Contains(c.Description, "   brood ") || c.UsageText == "" {
			t.Errorf("%s: %q", c.Name, c.Description)
		}
		for _, line := range strings.Split(c.Description, "\n") {
			if len(line) > 96 {
				t.Errorf("%s: a line of its help is %d characters long: %s", c.Name, len(line), line)
			}
		}
	}
}

package cli

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/brood-run/brood/supervisor"
)

func parseServe(t *testing.T, text string) (*serveOptions, error) {
	t.Helper()
	o := newServeOptions()
	return o, parseServeFile("b.yaml", []byte(text), false, o).err()
}

func TestParseServeFile(t *testing.T) {
	const text = `
listen: "127.0.0.1:1"   # quoted
data_dir: /d
sync: always
lease: 20s
queue_size: 7
max_payload: 1MiB
grace_period: 0s
tls: {cert: c, key: k}
limits:
  max_batch: 5
  rate_per_token: 0.5
log_level: debug
tokens:
  ops: {role: admin, file: f}
pools:
  a:
    plugin: echo
    tasks: [x, y]
    args: [-n, 5]
    env: {A: 1, B: two}
    rlimit:
      nofile: 9
    workers: 3
    hard_memory_limit: 1048576
    recycle_jitter: 0.2
    isolation: cgroup
    clear_env: true
  b: {plugin: exec, oom_score_adj: -5}
`
	o, err := parseServe(t, text)
	if err != nil {
		t.Fatal(err)
	}
	want := serverSettings{
		listen: "127.0.0.1:1", dataDir: "/d", sync: -1, lease: 20 * time.Second, queueSize: 7, maxPayload: 1 << 20,
		tlsCert: "c", tlsKey: "k", limits: apiLimits{batch: 5, rate: 0.5}, logLevel: "debug", logFormat: "text",
	}
	if o.serverSettings != want {
		t.Errorf("settings %+v", o.serverSettings)
	}
	minus5 := -5
	pools := []supervisor.PoolConfig{
		{
			Name: "a", Args: []string{"-n", "5"}, Tasks: []string{"x", "y"}, Env: []string{"A=1", "B=two"}, Workers: 3,
			HardMemoryLimit: 1 << 20, RecycleJitter: 0.2, Isolation: supervisor.IsolationCgroup, ClearEnv: true,
			Limits: supervisor.Limits{Rlimits: map[string]uint64{"nofile": 9}},
		},
		{Name: "b", Limits: supervisor.Limits{OOMScoreAdj: &minus5}},
	}
	for i, p := range o.pools {
		if diff := cmp.Diff(pools[i], p.config()); diff != "" {
			t.Error(diff)
		}
	}
	if tok := o.tokens[0]; tok.name != "ops" || tok.role != "admin" || tok.file != "f" {
		t.Errorf("token %+v", tok)
	}
}

// pool is a file that has all it needs.
const onePool = "pools: {p: {plugin: echo}}\n"

func TestParseServeFileRefuses(t *testing.T) {
	tests := []struct {
		in   string
		want []string // each line, without the file's name
	}{
		{"a: [", []string{"1:4: not YAML: sequence end token ']' not found"}},
		{"- x\n", []string{"1:1: expected lines of the form key: value"}},
		{"", []string{"1:1: pools: expected at least one, such as pools: {thumbnails: {plugin: thumbnail}}"}},
		{"listen: x\n", []string{"1:1: pools: expected at least one, such as pools: {thumbnails: {plugin: thumbnail}}"}},
		{"pools:\n", []string{"1:1: pools: expected at least one, such as pools: {thumbnails: {plugin: thumbnail}}"}},
		{onePool + "---\na: 1\n", []string{"3:2: expected one document, found another"}},
		{onePool + "lisen: x\n", []string{`2:1: unknown key "lisen", did you mean "listen"?`}},
		{onePool + "workers: 3\n", []string{`2:1: unknown key "workers"; it is a setting of a pool, expected below pools`}},
		{onePool + "listen: 7717\n", []string{"2:9: listen: expected a text, found 7717: put it in quotes"}},
		{onePool + "listen: [a]\n", []string{"2:9: listen: expected one plain value, found a list"}},
		{onePool + "listen:\n", []string{"2:9: listen: expected one plain value, found nothing"}},
		{onePool + "lease: 10\n", []string{`2:8: lease: expected a duration with a unit such as 500ms, 30s or 1h30m, found "10"`}},
		{onePool + "lease: 10 s\n", []string{`2:8: lease: expected a duration with a unit such as 500ms, 30s or 1h30m, found "10 s"`}},
		{onePool + "lease: 10ms\n", []string{`2:8: lease: expected 1s at least, found "10ms"`}},
		{onePool + "sync: sometimes\n", []string{`2:7: sync: expected always, or a duration with a unit such as 100ms or 1s, found "sometimes"`}},
		{onePool + "queue_size: many\n", []string{`2:13: queue_size: expected a whole number from 1 to 2147483647, found "many"`}},
		{onePool + "queue_size: \"5\"\n", []string{`2:13: queue_size: expected a number, found the text "5": leave the quotes out`}},
		{onePool + "max_payload: 5 gallons\n", []string{`2:14: max_payload: expected a size such as 256MiB, 1GB or a number of bytes, found "5 gallons"`}},
		{onePool + "memory: yes\n", []string{`2:9: memory: expected true or false, found "yes"`}},
		{onePool + "memory: \"true\"\n", []string{`2:9: memory: expected true or false, found the text "true": leave the quotes out`}},
		{onePool + "memory: true\nmemory: true\n", []string{"3:1: memory is set twice"}},
		{onePool + "memory: true\ndata_dir: x\n", []string{"2:1: data_dir, memory and nats exclude each other: tasks are kept in one place"}},
		{onePool + "namespace: x\n", []string{"2:1: namespace has no effect without nats"}},
		{onePool + "tls: {cert: x}\n", []string{"2:1: tls: a cert and a key are needed, or neither"}},
		{onePool + "tls: x\n", []string{`2:6: tls: expected keys and values below it, found "x"`}},
		{onePool + "tls:\n  crt: x\n", []string{`2:1: tls: a cert and a key are needed`, `3:3: unknown key "tls.crt", did you mean "cert"?`}[1:]},
		{onePool + "limits: {max_batch: 0}\n", []string{`2:21: limits.max_batch: expected a whole number from 1 to 100000, found "0"`}},
		{onePool + "limits: {rate_per_token: -1}\n", []string{`2:26: limits.rate_per_token: expected requests a second, a number above 0, found "-1"`}},
		{onePool + "nats: nats://me:secret@host\n", []string{"2:1: nats: others can read this file, and the URL holds a password: chmod 600 b.yaml, or use nats_credentials"}},
		{onePool + "tokens: {t: {file: f}}\n", []string{"2:10: tokens.t: role is missing: admin, submit or read"}},
		{onePool + "tokens: {t: {role: admin}}\n", []string{"2:10: tokens.t: say where the token is: file or variable, one of the two"}},
		{onePool + "tokens: {t: {role: boss, file: f}}\n", []string{`2:20: tokens.t.role: expected one of admin, submit, read, found "boss"`}},
		{onePool + "tokens: {t: {role: read, token: abc}}\n", []string{"2:26: tokens.t.token: others can read this file: chmod 600 b.yaml, or put the token into a file or a variable and name that"}},
		{"pools: {p: }\n", []string{"1:9: pools.p.plugin is missing: the path or the name of the program that serves the tasks"}},
		{"pools: {p: echo}\n", []string{
			"1:9: pools.p.plugin is missing: the path or the name of the program that serves the tasks",
			`1:12: pools.p: expected keys and values below it, found "echo"`,
		}},
		{"pools:\n  p:\n    plugin: echo\n    task: x\n", []string{`4:5: unknown key "pools.p.task", did you mean "tasks"?`}},
		{"pools:\n  p: {plugin: echo}\n  p: {plugin: echo}\n", []string{"3:3: pools.p is there twice"}},
		{"pools:\n  p: {plugin: echo, grace_period: 1s}\n", []string{`2:21: unknown key "pools.p.grace_period"; it is a setting of the server, expected at the top of the file`}},
		{"pools:\n  p: {plugin: echo, args: {a: b}}\n", []string{"2:27: pools.p.args: expected a list such as [a, b], found a mapping"}},
		{"pools:\n  p: {plugin: echo, args: [[a]]}\n", []string{"2:28: pools.p.args: expected one plain value, found a list"}},
		{"pools:\n  p: {plugin: echo, env: [AB]}\n", []string{`2:27: pools.p.env: expected KEY=VALUE, found "AB"`}},
		{"pools:\n  p: {plugin: echo, rlimit: {files: 3}}\n", []string{`2:37: pools.p.rlimit: expected nofile, core, cpu, as, nproc or fsize, found "files"`}},
		{"pools:\n  p: &x {plugin: echo}\n", []string{
			"2:3: pools.p.plugin is missing: the path or the name of the program that serves the tasks",
			"2:6: pools.p: expected keys and values below it, found an anchor, alias or tag, which are not read here",
		}},
		{"pools:\n  p: {plugin: echo, soft_memory_limit: 2GB, hard_memory_limit: 1GB}\n",
			[]string{"2:21: pools.p.soft_memory_limit is above hard_memory_limit: a worker would be killed before it could be recycled"}},
		{"pools:\n  p: {plugin: echo, hard_memory_limit: 512}\n",
			[]string{`2:40: pools.p.hard_memory_limit: expected a size with a unit such as 256MiB, 1MiB at least, found "512"`}},
		{"pools:\n  \"a\\nb\": {plugin: echo}\n", []string{`2:3: pools: "a\nb" is no name: it holds characters that do not print`}},
		{"pools:\n  \"\": {plugin: echo}\n", []string{`2:3: pools: "" is no name: it is empty`}},
		{onePool + "tokens: {\"a\\nb\": {role: admin, file: f}}\n", []string{`2:10: tokens: "a\nb" is no name: it holds characters that do not print`}},
		{"lease: 1\nlisten: 5\npools:\n  p: {plugin: echo, workers: none}\n", []string{ // all at once, in their order
			`1:8: lease: expected a duration with a unit such as 500ms, 30s or 1h30m, found "1"`,
			"2:9: listen: expected a text, found 5: put it in quotes",
			`4:30: pools.p.workers: expected a whole number from 1 to 10000, found "none"`,
		}},
	}
	for _, tt := range tests {
		_, err := parseServe(t, tt.in)
		if err == nil {
			t.Errorf("%q is taken", tt.in)
			continue
		}
		want := "b.yaml:" + strings.Join(tt.want, "\nb.yaml:")
		got := err.Error()
		if len(tt.want) > 1 {
			_, got, _ = strings.Cut(got, " errors in the configuration\n")
		}
		if !strings.HasPrefix(got, want) || strings.Count(got, "\n") != len(tt.want)-1 {
			t.Errorf("%q:\n got %s\nwant %s", tt.in, got, want)
		}
	}
}

// A token may be in a file that nobody else can read.
func TestParseServeFileTakesATokenInAPrivateFile(t *testing.T) {
	o := newServeOptions()
	text := onePool + "nats: nats://me:secret@host\ntokens: {t: {role: read, token: abc}}\n"
	if err := parseServeFile("b.yaml", []byte(text), true, o).err(); err != nil || o.tokens[0].secret != "abc" {
		t.Errorf("%v, %+v", err, o.tokens)
	}
}

func FuzzParseServeFile(f *testing.F) {
	f.Add("pools: {p: {plugin: echo, env: {A: b}, args: [x]}}\nlisten: a:1\n")
	f.Add("tokens:\n  t: {role: read, token: x}\nlimits: {max_batch: 3}\ntls: {cert: a, key: b}\n")
	f.Add("a: &x [*x]\n? b\n: c\n<<: *x\n")
	f.Add("pools:\n- p\npools: |\n  x\n!!t: !x 1\n")
	f.Fuzz(func(t *testing.T, text string) {
		o := newServeOptions()
		err := parseServeFile("b.yaml", []byte(text), false, o).err()
		if err == nil && len(o.pools) == 0 {
			t.Fatal("a server without a pool is taken")
		}
		if err != nil && !strings.Contains(err.Error(), "b.yaml:") {
			t.Fatalf("the error does not name the file: %v", err)
		}
	})
}

func TestSchemaFileIsCurrent(t *testing.T) {
	path := filepath.Join("..", "..", "..", "testdata", "brood.schema.json")
	if raw, err := os.ReadFile(path); err != nil || !bytes.Equal(raw, schemaText()) {
		t.Errorf("%s is not what brood config schema prints; write it anew (%v)", path, err)
	}
}

// The schema takes what the parser takes, as far as words can say it: each key of a file is a property, and
// the other way round.
func TestSchemaKnowsTheKeys(t *testing.T) {
	var s struct {
		Properties map[string]struct {
			Properties           map[string]any
			AdditionalProperties any
		}
	}
	if err := json.Unmarshal(schemaText(), &s); err != nil {
		t.Fatal(err)
	}
	for key, p := range s.Properties {
		if key == "pools" || key == "tokens" {
			continue
		}
		if p.Properties == nil {
			if _, err := parseServe(t, onePool+key+": {}\n"); err == nil || strings.Contains(err.Error(), "unknown key") {
				t.Errorf("%s: %v", key, err)
			}
		}
		for inner := range p.Properties {
			if _, err := parseServe(t, onePool+key+": {"+inner+": {}}\n"); err == nil || strings.Contains(err.Error(), "unknown key") {
				t.Errorf("%s.%s: %v", key, inner, err)
			}
		}
	}
	pool := s.Properties["pools"].AdditionalProperties.(map[string]any)["properties"].(map[string]any)
	if want, got := len(newPoolOptions("").byKey()), len(pool); got != want {
		t.Errorf("a pool has %d properties, want %d", got, want)
	}
}

// Every setting of a library pool can be made in a file.
func TestPoolSettingsAreComplete(t *testing.T) {
	const text = `pools: {p: {plugin: a, sha256: a000000000000000000000000000000000000000000000000000000000000000, args: [a], env: [A=b], clear_env: true, dir: d,
tasks: [t], workers: 1, slots: 1, window: 1, max_tasks_per_child: 1, ttl: 1s, idle_ttl: 1s, soft_memory_limit: 1MiB, hard_memory_limit: 1MiB,
recycle_jitter: 0.1, soft_timeout: 1s, hard_timeout: 1s, start_timeout: 1s, cancel_grace: 1s, heartbeat: 1s, missed_heartbeats: 1,
max_attempts: 1, max_crashes: 1, backoff_base: 1s, backoff_cap: 1s, isolation: group, rlimit: [nofile=1], nice: 1, oom_score_adj: 1,
user: u, group: g, no_new_privs: true, cpu_limit: 1, pids_limit: 1, allow_read: [r], allow_write: [w], network: none}}`
	o, err := parseServe(t, text)
	if err != nil {
		t.Fatal(err)
	}
	config := o.pools[0].config()
	config.Plugin = "a" // once it has been found
	for _, v := range []reflect.Value{reflect.ValueOf(config), reflect.ValueOf(config.Limits)} {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s cannot be set", v.Type().Field(i).Name)
			}
		}
	}
}

func TestServeSettingsAreConsistent(t *testing.T) {
	seen := make(map[string]bool)
	for _, g := range newServeOptions().groups(newPoolOptions("")) {
		for _, s := range g.settings {
			if seen[s.name] {
				t.Errorf("%s is there twice", s.name)
			}
			seen[s.name] = true
			if s.usage == "" || s.set == nil || s.value.schema == nil || (s.shape != toggle) != strings.Contains(s.usage, "`") {
				t.Errorf("%s: a value needs a name in `` and a toggle has none: %q", s.name, s.usage)
			}
		}
	}
}

// Each setting of the server is told under its own key when it has changed.
func TestSettingsThatTakeARestartAreNamed(t *testing.T) {
	was := newServeOptions()
	for _, section := range was.sections() {
		for i, one := range section.all {
			o := newServeOptions()
			set := o.sections()
			var changed bool
			for _, s := range set {
				if s.title != section.title {
					continue
				}
				for _, raw := range []string{"true", "always", "debug", "json", "7s", "3", "7MiB", "x"} {
					if s.all[i].set(raw) == nil && o.serverSettings != was.serverSettings {
						changed = true
						break
					}
				}
			}
			key := section.fileKey(one)
			if section.key != "" {
				key = section.key + "." + key
			}
			if got := was.differences(o.serverSettings); !changed || len(got) != 1 || got[0] != key {
				t.Errorf("%s: %q", key, got)
			}
		}
	}
	if got := was.differences(newServeOptions().serverSettings); len(got) != 0 {
		t.Errorf("nothing has changed, and %q", got)
	}
}

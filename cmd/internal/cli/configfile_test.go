package cli

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseConfig(t *testing.T) {
	const text = `# settings
plugin: echo
workers: 0x3
hard_memory_limit: 256MiB
ordered: true
task: |
  a name
env: [A=b, "C=d e"]
rlimit:
  nofile: 100
  core: 0
`
	values, err := parseConfig("c.yaml", []byte(text), newOptions().groups())
	if err != nil {
		t.Fatal(err)
	}
	got := make(map[string][]string)
	for k, v := range values {
		got[k] = v.values
	}
	want := map[string][]string{
		"plugin": {"echo"}, "workers": {"0x3"}, "hard_memory_limit": {"256MiB"}, "ordered": {"true"}, "task": {"a name\n"},
		"env": {"A=b", "C=d e"}, "rlimit": {"nofile=100", "core=0"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	if o := values["hard_memory_limit"].origin; o != "c.yaml:4: hard_memory_limit" {
		t.Errorf("origin %q", o)
	}
}

func TestParseConfigRefuses(t *testing.T) {
	tests := []struct{ in, want string }{
		{"a: [", "c.yaml:1: not YAML"},
		{"- plugin: x", "c.yaml:1: expected lines of the form key: value"},
		{"plugin: x\n\nwokers: 2", `c.yaml:3: unknown key "wokers", did you mean "workers"?`},
		{"zzzzzz: 2", `c.yaml:1: unknown key "zzzzzz"`},
		{"config: other.yaml", `unknown key "config"`},
		{"workers: 1\nworkers: 2", "c.yaml:2: "},
		{"workers:", "c.yaml:1: workers: expected a value, found none"},
		{"slots: 1\nworkers: [1]", "c.yaml:2: workers: expected one plain value"},
		{"rlimit: {nofile: [1]}", "rlimit: expected one plain value"},
		{"workers: 1\n---\nworkers: 2", "c.yaml:3: expected one document"},
	}
	for _, tt := range tests {
		_, err := parseConfig("c.yaml", []byte(tt.in), newOptions().groups())
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: error %v, want one with %q", tt.in, err, tt.want)
		}
	}
}

func TestParseConfigTakesEmptyFiles(t *testing.T) {
	for _, in := range []string{"", "\n", "# nothing\n", "---\n"} {
		if values, err := parseConfig("c.yaml", []byte(in), newOptions().groups()); err != nil || len(values) > 0 {
			t.Errorf("%q: %v, %v", in, values, err)
		}
	}
}

func FuzzParseConfig(f *testing.F) {
	f.Add("workers: 2\nenv:\n  A: b\n")
	f.Add("rlimit: {nofile: 1}\n# x\n")
	f.Add("a: &x [*x]\n? b\n: c\n")
	f.Fuzz(func(t *testing.T, text string) {
		values, err := parseConfig("c.yaml", []byte(text), newOptions().groups())
		if err != nil && !strings.HasPrefix(err.Error(), "c.yaml:") {
			t.Fatalf("the error does not name the file: %v", err)
		}
		for key, v := range values {
			if err == nil && !strings.HasPrefix(v.origin, "c.yaml:") {
				t.Fatalf("%s has no origin", key)
			}
		}
	})
}

func TestSettingsAreConsistent(t *testing.T) {
	seen := make(map[string]bool)
	for _, g := range newOptions().groups() {
		for _, s := range g.settings {
			if seen[s.name] {
				t.Errorf("%s is there twice", s.name)
			}
			seen[s.name] = true
			if s.usage == "" || s.set == nil || (s.shape != toggle) != strings.Contains(s.usage, "`") {
				t.Errorf("%s: a value needs a name in `` and a toggle has none: %q", s.name, s.usage)
			}
		}
	}
}

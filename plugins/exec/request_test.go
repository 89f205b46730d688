package main

import (
	"slices"
	"strings"
	"testing"
)

func TestParseRequest(t *testing.T) {
	withTemplate := parseTemplate([]string{"wc", "-l"})
	for _, tc := range []struct {
		payload  string
		template template
		argv     []string
		err      string
	}{
		{`"a"`, withTemplate, []string{"wc", "-l", "a"}, ""},
		{` ["x","y"] `, withTemplate, []string{"x", "y"}, ""},
		{`{"argv":["x"],"stdin":"","env":{},"dir":""}`, template{}, []string{"x"}, ""},
		{`"a"`, template{}, nil, "there is no command to put it into"},
		{``, withTemplate, nil, "must be a JSON string"},
		{`7`, withTemplate, nil, "must be a JSON string"},
		{`null`, withTemplate, nil, "must be a JSON string"},
		{`[]`, template{}, nil, "the command is empty"},
		{`[""]`, template{}, nil, "the command is empty"},
		{`{}`, template{}, nil, "the command is empty"},
		{`["a",7]`, template{}, nil, "cannot be read as a command"},
		{`["a"] ["b"]`, template{}, nil, "something behind"},
		{`{"argv":["a"],"stdn":""}`, template{}, nil, `unknown field "stdn"`},
		{`["a\u0000b"]`, template{}, nil, "argument 0 of the command has a NUL byte"},
		{`{"argv":["a"],"env":{"A=B":"c"}}`, template{}, nil, `variable "A=B"`},
		{`{"argv":["a"],"env":{"A":"\u0000"}}`, template{}, nil, `variable "A"`},
		{`{"argv":["a"],"env":{"":"b"}}`, template{}, nil, `variable ""`},
		{`{"argv":["a"],"dir":"\u0000"}`, template{}, nil, "dir has a NUL byte"},
	} {
		c, err := parseRequest([]byte(tc.payload), tc.template)
		if tc.err == "" && (err != nil || !slices.Equal(c.argv, tc.argv)) {
			t.Errorf("%s: got %q, %v; want %q", tc.payload, c.argv, err, tc.argv)
		}
		if tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%s: got %q, %v; want an error with %q", tc.payload, c.argv, err, tc.err)
		}
	}
}

func FuzzParseRequest(f *testing.F) {
	for _, seed := range []string{`"a"`, `["x","y"]`, `{"argv":["x"],"stdin":"s","env":{"A":"b"},"dir":"/"}`, `[`, "\t", `"\ud800"`} {
		f.Add([]byte(seed))
	}
	tmpl := parseTemplate([]string{"wc", "{/.}"})
	f.Fuzz(func(t *testing.T, payload []byte) {
		c, err := parseRequest(payload, tmpl)
		if err != nil {
			return
		}
		if len(c.argv) == 0 || c.argv[0] == "" || strings.ContainsRune(strings.Join(c.argv, ""), 0) {
			t.Errorf("%q was accepted as %q", payload, c.argv)
		}
	})
}

func TestEnvironmentHasEachVariableOnce(t *testing.T) {
	base := []string{"A=1", "B=2", "PATH=/bin"}
	got := environment(base, command{taskID: "t", env: map[string]string{"A": "x", markerKey: "forged"}}, "9.1")
	slices.Sort(got)
	if want := []string{"A=x", "B=2", "BROOD_EXEC=9.1", "BROOD_TASK_ID=t", "PATH=/bin"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if base[0] != "A=1" {
		t.Error("the base was changed")
	}
}

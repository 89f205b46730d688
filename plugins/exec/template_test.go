package main

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestTemplateFillsInTheInput(t *testing.T) {
	for _, tc := range []struct{ template, input, want string }{
		{"wc|-l", "a b", "wc|-l|a b"},
		{"echo|{}|{.}|{/}|{//}|{/.}", "pics/a.b.png", "echo|pics/a.b.png|pics/a.b|a.b.png|pics|a.b"},
		{"convert|{}|out/{/.}.jpg", "/x/y.png", "convert|/x/y.png|out/y.jpg"},
		{"echo|{}{}", "x", "echo|xx"},
		{"echo|{}", "{/}{}", "echo|{/}{}"},
		{"echo|{.}", "dir.d/file", "echo|dir.d/file"},
		{"echo|{.}|{/.}", "a/.bashrc", "echo|a/.bashrc|.bashrc"},
		{"echo|{/}|{//}", "plain", "echo|plain|."},
		{"echo|{/}|{//}", "a/b/", "echo|b|a"},
		{"echo|{/}|{//}", "/", "echo||/"},
		{"echo|{/}|{//}", "/a", "echo|a|/"},
		{"echo|{//}", "../x//y", "echo|../x"},
		{"echo|{/}|{//}|{.}|{/.}", "", "echo||.||"},
		{"awk|{print}|{ }", "f", "awk|{print}|{ }|f"},
		{"{}|-v", "prog", "prog|-v"},
	} {
		got := parseTemplate(strings.Split(tc.template, "|")).fill(tc.input)
		if want := strings.Split(tc.want, "|"); !slices.Equal(got, want) {
			t.Errorf("%s of %q: got %q, want %q", tc.template, tc.input, got, want)
		}
	}
}

func TestTemplateIsNotChangedByFilling(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		args := rapid.SliceOfN(rapid.StringMatching(`([a-z/. ]|\{[/.]{0,2}\}){0,5}`), 1, 5).Draw(t, "args")
		input := rapid.String().Draw(t, "input")
		before := slices.Clone(args)
		tmpl := parseTemplate(args)
		first := tmpl.fill(input)
		if again := tmpl.fill(input); !slices.Equal(first, again) || !slices.Equal(args, before) {
			t.Fatalf("filled %q, then %q; the template became %q", first, again, args)
		}
		if extra := len(first) - len(args); extra != 0 && (extra != 1 || first[len(args)] != input) {
			t.Fatalf("%q of %q became %q", args, input, first)
		}
	})
}

// A path is its directory, a slash and its base name, however odd.
func TestPartsMakeUpThePath(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		path := rapid.StringMatching(`([a-z]|\.|/){1,12}[a-z.]`).Draw(t, "path")
		if strings.Contains(path, "//") {
			t.Skip("doubled slashes are not kept")
		}
		joined := dir(path) + "/" + base(path)
		switch {
		case !strings.Contains(path, "/"):
			joined = base(path)
		case dir(path) == "/":
			joined = "/" + base(path)
		}
		if joined != path || !strings.HasPrefix(path, stem(path)) || strings.Contains(stem(base(path)), "/") {
			t.Fatalf("%q is %q and %q, stem %q", path, dir(path), base(path), stem(path))
		}
	})
}

package main

import "strings"

// template is a command line with places for a task's input. Empty means none
// was given.
type template struct {
	args   []string
	append bool // no argument has a place for the input: it goes at the end
}

// placeholders, longest first, so that "{//}" is not read as "{/" and "/}".
func placeholders() [5]string { return [5]string{"{/.}", "{//}", "{/}", "{.}", "{}"} }

func parseTemplate(args []string) template {
	t := template{args: args, append: true}
	for _, arg := range args {
		for _, p := range placeholders() {
			if strings.Contains(arg, p) {
				t.append = false
			}
		}
	}
	return t
}

// fill returns the command line for one input.
func (t template) fill(input string) []string {
	argv := make([]string, 0, len(t.args)+1)
	if t.append {
		return append(append(argv, t.args...), input)
	}
	// A Replacer does not look at what it has put in: an input may hold braces.
	p := placeholders()
	r := strings.NewReplacer(
		p[0], stem(base(input)), p[1], dir(input), p[2], base(input), p[3], stem(input), p[4], input)
	for _, arg := range t.args {
		argv = append(argv, r.Replace(arg))
	}
	return argv
}

// base is what follows the last slash; trailing slashes do not count.
func base(path string) string {
	trimmed := trimSlashes(path)
	return trimmed[strings.LastIndexByte(trimmed, '/')+1:]
}

// dir is what stands before the last slash, "." if there is none. Unlike
// filepath.Dir it does not resolve "..", which would be wrong behind a symbolic link.
func dir(path string) string {
	trimmed := trimSlashes(path)
	i := strings.LastIndexByte(trimmed, '/')
	switch {
	case i < 0 && strings.HasPrefix(path, "/"):
		return "/"
	case i < 0:
		return "."
	}
	if d := trimSlashes(trimmed[:i]); d != "" {
		return d
	}
	return "/"
}

// stem is path without the last extension of its base name. The leading dot of
// a hidden file does not begin an extension.
func stem(path string) string {
	name := path[strings.LastIndexByte(path, '/')+1:]
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		return path[:len(path)-len(name)+i]
	}
	return path
}

func trimSlashes(path string) string { return strings.TrimRight(path, "/") }

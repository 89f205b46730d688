package arch

import (
	"fmt"
	"slices"
	"strings"
)

// pkg is what `go list -json` says about a package.
type pkg struct {
	ImportPath, Name                   string
	Imports, TestImports, XTestImports []string
	Deps                               []string
}

// check returns every breach of the law, in words that name both packages.
func check(pkgs []pkg) []string {
	var breaches []string
	for _, p := range pkgs {
		r, ok := roomOf(p.ImportPath)
		if !ok {
			breaches = append(breaches, fmt.Sprintf("%s is in no room: give it a line in the law", short(p.ImportPath)))
			continue
		}
		for _, imp := range p.Imports {
			breaches = append(breaches, r.judge(p, imp, false)...)
		}
		for _, imp := range slices.Concat(p.TestImports, p.XTestImports) {
			breaches = append(breaches, r.judge(p, imp, true)...)
		}
		breaches = append(breaches, weigh(p)...)
	}
	slices.Sort(breaches)
	return slices.Compact(breaches) // one breach may be seen on several systems
}

// judge says what is wrong with one import, if anything.
func (r room) judge(p pkg, imp string, test bool) []string {
	breach := func(format string, args ...any) []string {
		from := short(p.ImportPath)
		if test {
			from = "a test of " + from
		}
		return []string{fmt.Sprintf("%s imports %s: ", from, short(imp)) + fmt.Sprintf(format, args...)}
	}
	switch {
	case isStd(imp) || imp == p.ImportPath: // the latter from a test package
		return nil
	case within(imp, module):
		may := r.may
		if test {
			may = slices.Concat(r.may, r.tests)
		}
		if !slices.ContainsFunc(may, func(pattern string) bool { return match(pattern, short(imp)) }) {
			return breach("%s (allowed: %s)", r.why, orNothing(may))
		}
		return nil
	}
	lib, known := libraryOf(imp)
	switch {
	case !known:
		return breach("this library has no room: give it one in the law")
	case lib.test && !test && !slices.Contains(lib.also, short(p.ImportPath)):
		return breach("this library is for tests only")
	case lib.test:
		return nil
	case r.std:
		return breach("%s, and no library", r.why)
	case lib.room != "" && lib.room != short(p.ImportPath) && !slices.Contains(lib.also, short(p.ImportPath)):
		return breach("only %s may", lib.room)
	}
	return nil
}

// weigh looks for heavy libraries in a plugin's binary.
func weigh(p pkg) []string {
	if !match("plugins/*", short(p.ImportPath)) || p.Name != "main" {
		return nil
	}
	var breaches []string
	for _, dep := range p.Deps {
		if slices.ContainsFunc(heavy, func(path string) bool { return within(dep, path) }) {
			breaches = append(breaches, fmt.Sprintf("the binary of %s contains %s", short(p.ImportPath), short(dep)))
		}
	}
	return breaches
}

func roomOf(path string) (room, bool) {
	i := slices.IndexFunc(rooms, func(r room) bool { return match(r.path, short(path)) })
	if i < 0 {
		return room{}, false
	}
	return rooms[i], true
}

func libraryOf(path string) (library, bool) {
	i := slices.IndexFunc(libraries, func(l library) bool { return within(path, l.path) })
	if i < 0 {
		return library{}, false
	}
	return libraries[i], true
}

// match compares a package with a room's path.
func match(pattern, name string) bool {
	if base, ok := strings.CutSuffix(pattern, "/*"); ok {
		return name != base && within(name, base)
	}
	return name == pattern
}

// within says that path is root or below it.
func within(path, root string) bool {
	rest, ok := strings.CutPrefix(path, root)
	return ok && (rest == "" || rest[0] == '/')
}

// isStd goes by the rule of the go command: only the standard library's import
// paths have no dot in their first element.
func isStd(path string) bool {
	first, _, _ := strings.Cut(path, "/")
	return !strings.Contains(first, ".")
}

func short(path string) string { return strings.TrimPrefix(path, module+"/") }

func orNothing(list []string) string {
	if len(list) == 0 {
		return "nothing of ours"
	}
	return strings.Join(list, ", ")
}

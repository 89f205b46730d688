package cli

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// serveFile is the config file of a server while it is read. It goes on after an error, so that all of
// them are told at once.
type serveFile struct {
	fileErrors
	opts    *serveOptions
	private bool // nobody but its owner can read it
}

// parseServeFile fills o in. What is wrong is in the returned value's err.
func parseServeFile(path string, raw []byte, private bool, o *serveOptions) *serveFile {
	f := &serveFile{fileErrors: fileErrors{path: path, places: make(map[string]*token.Token)}, opts: o, private: private}
	tree, err := parser.ParseBytes(raw, 0, parser.AllowDuplicateMapKey())
	if err != nil {
		f.syntax(err)
		return f
	}
	seen := false
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if seen {
			f.add(doc.Body.GetToken(), "expected one document, found another")
			break
		}
		seen = true
		f.top(doc.Body)
	}
	if len(o.pools) == 0 && len(f.all) == 0 {
		f.add(f.places["pools"], "pools: expected at least one, such as pools: {thumbnails: {plugin: thumbnail}}")
	}
	f.check()
	return f
}

func (f *serveFile) syntax(err error) {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.GetToken() != nil {
		f.add(syntax.GetToken(), "not YAML: %s", syntax.GetMessage())
		return
	}
	f.add(nil, "not YAML: %v", err)
}

// top reads what is not in a section, and the sections.
func (f *serveFile) top(body ast.Node) {
	known := map[string]func(*ast.MappingValueNode){"tokens": f.tokens, "pools": f.pools}
	for _, s := range f.opts.sections() {
		if s.key != "" {
			known[s.key] = func(n *ast.MappingValueNode) { f.settings(s.key, n.Value, byKey(s.all, s.fileKey), f.places) }
			continue
		}
		for _, one := range s.all {
			known[one.key()] = func(n *ast.MappingValueNode) { f.set("", n, one) }
		}
	}
	f.entries("", body, known, f.places)
}

func byKey(all []setting, key func(setting) string) map[string]setting {
	m := make(map[string]setting, len(all))
	for _, s := range all {
		m[key(s)] = s
	}
	return m
}

// settings reads a mapping of settings.
func (f *serveFile) settings(where string, n ast.Node, all map[string]setting, places map[string]*token.Token) {
	known := make(map[string]func(*ast.MappingValueNode), len(all))
	for key, s := range all {
		known[key] = func(n *ast.MappingValueNode) { f.set(where, n, s) }
	}
	f.entries(where, n, known, places)
}

// entries calls what is known for each key of a mapping, and notes where the keys are.
func (f *serveFile) entries(where string, n ast.Node, known map[string]func(*ast.MappingValueNode), places map[string]*token.Token) {
	seen := make(map[string]bool)
	for _, e := range f.mapping(where, n) {
		at := e.Key.GetToken()
		key := at.Value
		read, ok := known[key]
		switch {
		case !ok:
			f.add(at, "%s", unknownKey(join(where, key), key, known))
			continue
		case seen[key]:
			f.add(at, "%s is set twice", join(where, key))
			continue
		}
		seen[key] = true
		places[join(where, key)] = at
		read(e)
	}
}

func unknownKey[V any](full, key string, known map[string]V) string {
	if _, ok := newPoolOptions("").byKey()[key]; ok && full == key {
		return fmt.Sprintf("unknown key %q; it is a setting of a pool, expected below pools", full)
	}
	if strings.HasPrefix(full, "pools.") {
		for _, s := range newServeOptions().sections() {
			if _, ok := byKey(s.all, setting.key)[key]; ok && s.key == "" {
				return fmt.Sprintf("unknown key %q; it is a setting of the server, expected at the top of the file", full)
			}
		}
	}
	near := suggestion(key, known)
	if near == "" {
		near = "; expected one of " + strings.Join(slices.Sorted(maps.Keys(known)), ", ")
	}
	return fmt.Sprintf("unknown key %q%s", full, near)
}

func join(where, key string) string {
	if where == "" {
		return key
	}
	return where + "." + key
}

// mapping returns the entries of a mapping; nothing at all is an empty one.
func (f *serveFile) mapping(where string, n ast.Node) []*ast.MappingValueNode {
	switch n := n.(type) {
	case *ast.MappingNode:
		return n.Values
	case *ast.MappingValueNode:
		return []*ast.MappingValueNode{n}
	case *ast.NullNode, *ast.CommentGroupNode, nil:
		return nil
	}
	if where == "" {
		f.add(n.GetToken(), "expected lines of the form key: value")
	} else {
		f.add(n.GetToken(), "%s: expected keys and values below it, found %s", where, found(n))
	}
	return nil
}

// check finds settings that are wrong only together.
func (f *serveFile) check() {
	if strings.Contains(f.opts.nats, "@") && !f.private {
		f.add(f.places["nats"], "nats: others can read this file, and the URL holds a password: chmod 600 %s, or use nats_credentials", f.path)
	}
	if key, err := f.opts.check(); err != nil {
		f.add(f.places[key], "%v", err)
	}
}

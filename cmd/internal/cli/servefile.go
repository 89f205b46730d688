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
	places  map[string]*token.Token
}

// parseServeFile fills o in. What is wrong is in the returned value's err.
func parseServeFile(path string, raw []byte, private bool, o *serveOptions) *serveFile {
	f := &serveFile{fileErrors: fileErrors{path: path}, opts: o, private: private, places: make(map[string]*token.Token)}
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

// set reads a setting's value or values.
func (f *serveFile) set(where string, e *ast.MappingValueNode, s setting) {
	name := join(where, e.Key.GetToken().Value)
	if s.shape != many {
		f.one(name, "", e.Value, s.value, true)
		return
	}
	switch n := e.Value.(type) {
	case *ast.SequenceNode:
		for _, item := range n.Values {
			f.one(name, "", item, s.value, false)
		}
	case *ast.MappingNode, *ast.MappingValueNode:
		if !s.pairs {
			f.add(n.GetToken(), "%s: expected a list such as [a, b], found a mapping", name)
			return
		}
		for _, pair := range f.mapping(name, n) {
			f.one(name, pair.Key.GetToken().Value+"=", pair.Value, s.value, false)
		}
	default:
		f.one(name, "", n, s.value, false)
	}
}

// one reads one plain value. strict is whether its type in YAML must be that of the setting: items of a
// list are all texts, and nobody wants to write -n "5".
func (f *serveFile) one(name, prefix string, n ast.Node, v value, strict bool) {
	raw, kind := scalar(n)
	if kind == "" {
		f.add(nodeToken(n), "%s: expected one plain value, found %s", name, found(n))
		return
	}
	if err := v.set(prefix + raw); err != nil {
		f.add(nodeToken(n), "%s: %v", name, err)
		return
	}
	if types := v.schema.types(); strict && !slices.Contains(types, kind) && !(kind == "integer" && slices.Contains(types, "number")) {
		f.add(nodeToken(n), "%s: %s", name, wrongType(types, kind, raw))
	}
}

func wrongType(types []string, kind, raw string) string {
	if kind != "string" {
		return fmt.Sprintf("expected a text, found %s: put it in quotes", raw)
	}
	what := "a number"
	if slices.Contains(types, "boolean") {
		what = "true or false"
	}
	return fmt.Sprintf("expected %s, found the text %q: leave the quotes out", what, raw)
}

// scalar returns a plain value as it is written, and its type in the words of JSON schema; no type if it
// is none.
func scalar(n ast.Node) (raw, kind string) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, "string"
	case *ast.LiteralNode:
		return n.Value.Value, "string"
	case *ast.IntegerNode:
		return n.GetToken().Value, "integer"
	case *ast.FloatNode:
		return n.GetToken().Value, "number"
	case *ast.BoolNode:
		return n.GetToken().Value, "boolean"
	}
	return "", ""
}

// found names a node that is not what was expected.
func found(n ast.Node) string {
	switch n.(type) {
	case *ast.NullNode, nil:
		return "nothing"
	case *ast.SequenceNode:
		return "a list"
	case *ast.MappingNode, *ast.MappingValueNode:
		return "a mapping"
	case *ast.AnchorNode, *ast.AliasNode, *ast.MergeKeyNode, *ast.TagNode:
		return "an anchor, alias or tag, which are not read here"
	}
	return fmt.Sprintf("%q", firstLine(n.GetToken().Value))
}

func nodeToken(n ast.Node) *token.Token {
	if n == nil {
		return nil
	}
	return n.GetToken()
}

// pools reads each pool with settings of its own.
func (f *serveFile) pools(e *ast.MappingValueNode) {
	for _, one := range f.mapping("pools", e.Value) {
		at := one.Key.GetToken()
		p := newPoolOptions(at.Value)
		p.at = at
		where := "pools." + p.name
		if slices.ContainsFunc(f.opts.pools, func(other *poolOptions) bool { return other.name == p.name }) {
			f.add(at, "%s is there twice", where)
			continue
		}
		f.opts.pools = append(f.opts.pools, p)
		f.settings(where, one.Value, p.byKey(), f.places)
		p.pluginAt = f.places[where+".plugin"]
		p.taskAt = taskTokens(f.places[where+".tasks"], one.Value)
		if p.pluginAt == nil {
			f.add(at, "%s.plugin is missing: the path or the name of the program that serves the tasks", where)
		}
		if s, h := p.pool.SoftMemoryLimit, p.pool.HardMemoryLimit; s > 0 && h > 0 && s > h {
			f.add(f.places[where+".soft_memory_limit"],
				"%s.soft_memory_limit is above hard_memory_limit: a worker would be killed before it could be recycled", where)
		}
	}
}

// taskTokens finds where the names of a pool's tasks are.
func taskTokens(key *token.Token, n ast.Node) []*token.Token {
	var at []*token.Token
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	}
	for _, e := range entries {
		if e.Key.GetToken() != key {
			continue
		}
		list, ok := e.Value.(*ast.SequenceNode)
		if !ok {
			return []*token.Token{nodeToken(e.Value)}
		}
		for _, item := range list.Values {
			at = append(at, nodeToken(item))
		}
	}
	return at
}

// tokens reads who may call the API.
func (f *serveFile) tokens(e *ast.MappingValueNode) {
	for _, one := range f.mapping("tokens", e.Value) {
		at := one.Key.GetToken()
		t := tokenOptions{name: at.Value, at: at}
		where := "tokens." + t.name
		before := len(f.all)
		f.settings(where, one.Value, byKey(t.settings(), setting.key), f.places)
		if t.secret != "" && !f.private {
			f.add(f.places[where+".token"], "%s.token: others can read this file: chmod 600 %s, or put the token into a file or a variable and name that", where, f.path)
		}
		if err := t.check(); err != nil && len(f.all) == before {
			f.add(at, "%s: %v", where, err)
		}
		f.opts.tokens = append(f.opts.tokens, t)
	}
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

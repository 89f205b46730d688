package cli

import (
	"slices"
	"strings"
	"unicode"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// pools reads each pool with settings of its own.
func (f *serveFile) pools(e *ast.MappingValueNode) {
	for _, one := range f.mapping("pools", e.Value) {
		at := one.Key.GetToken()
		p := newPoolOptions(at.Value)
		p.at = at
		if !f.name("pools", at) {
			continue
		}
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

// name says whether a pool or a token can be called so, in a line of the log.
func (f *serveFile) name(of string, at *token.Token) bool {
	name := at.Value
	switch {
	case name == "":
		f.add(at, "%s: %q is no name: it is empty", of, name)
	case strings.ContainsFunc(name, func(r rune) bool { return !unicode.IsPrint(r) }):
		f.add(at, "%s: %q is no name: it holds characters that do not print", of, name)
	default:
		return true
	}
	return false
}

// tokens reads who may call the API.
func (f *serveFile) tokens(e *ast.MappingValueNode) {
	for _, one := range f.mapping("tokens", e.Value) {
		at := one.Key.GetToken()
		t := tokenOptions{name: at.Value, at: at}
		if !f.name("tokens", at) {
			continue
		}
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

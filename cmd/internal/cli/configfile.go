package cli

import (
	"errors"
	"fmt"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"
	"github.com/goccy/go-yaml/token"
)

// configFile is a config file while it is read. It walks the syntax tree rather
// than decode into a struct: each value keeps its line, and its text reaches the
// setting untouched, so that flag, variable and file share one parser.
type configFile struct {
	path   string
	shapes map[string]shape // by key
	values map[string]given
}

// parseConfig returns the values of a config file by key. Its errors name the
// file, the line and what was expected.
func parseConfig(path string, raw []byte, groups []group) (map[string]given, error) {
	f := &configFile{path: path, shapes: make(map[string]shape), values: make(map[string]given)}
	for _, g := range groups {
		for _, s := range g.settings {
			f.shapes[s.key()] = s.shape
		}
	}
	tree, err := parser.ParseBytes(raw, 0)
	if err != nil {
		return nil, f.syntaxError(err)
	}
	seen := false
	for _, doc := range tree.Docs {
		if doc.Body == nil {
			continue
		}
		if seen {
			return nil, f.errorf(doc.Body.GetToken(), "expected one document, found another")
		}
		seen = true
		if err := f.document(doc.Body); err != nil {
			return nil, err
		}
	}
	return f.values, nil
}

func (f *configFile) document(body ast.Node) error {
	switch n := body.(type) {
	case *ast.MappingNode:
		for _, entry := range n.Values {
			if err := f.entry(entry); err != nil {
				return err
			}
		}
		return nil
	case *ast.MappingValueNode:
		return f.entry(n)
	case *ast.CommentGroupNode, *ast.NullNode:
		return nil
	default:
		return f.errorf(body.GetToken(), "expected lines of the form key: value")
	}
}

func (f *configFile) entry(n *ast.MappingValueNode) error {
	tok := n.Key.GetToken()
	key := tok.Value
	shape, known := f.shapes[key]
	if !known {
		return f.errorf(tok, "unknown key %q%s", key, suggestion(key, f.shapes))
	}
	if _, twice := f.values[key]; twice {
		return f.errorf(tok, "%s is set twice", key)
	}
	g := given{origin: fmt.Sprintf("%s:%d: %s", f.path, tok.Position.Line, key)}
	var err error
	if shape == many {
		g.values, err = f.list(key, n.Value)
	} else {
		var v string
		v, err = f.scalar(key, n.Value)
		g.values = []string{v}
	}
	f.values[key] = g
	return err
}

// list takes a sequence of scalars, one scalar, or a mapping for KEY=VALUE pairs.
func (f *configFile) list(key string, n ast.Node) ([]string, error) {
	var values []string
	add := func(prefix string, n ast.Node) error {
		v, err := f.scalar(key, n)
		values = append(values, prefix+v)
		return err
	}
	var entries []*ast.MappingValueNode
	switch n := n.(type) {
	case *ast.SequenceNode:
		for _, item := range n.Values {
			if err := add("", item); err != nil {
				return nil, err
			}
		}
		return values, nil
	case *ast.MappingNode:
		entries = n.Values
	case *ast.MappingValueNode:
		entries = []*ast.MappingValueNode{n}
	default:
		err := add("", n)
		return values, err
	}
	for _, e := range entries {
		if err := add(e.Key.GetToken().Value+"=", e.Value); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func (f *configFile) scalar(key string, n ast.Node) (string, error) {
	switch n := n.(type) {
	case *ast.StringNode:
		return n.Value, nil
	case *ast.LiteralNode:
		return n.Value.Value, nil
	case *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode:
		return n.GetToken().Value, nil
	case *ast.NullNode:
		return "", f.errorf(n.GetToken(), "%s: expected a value, found none", key)
	default:
		return "", f.errorf(n.GetToken(), "%s: expected one plain value", key)
	}
}

func (f *configFile) errorf(tok *token.Token, format string, args ...any) error {
	return fmt.Errorf("%s:%d: %s", f.path, tok.Position.Line, fmt.Sprintf(format, args...))
}

func (f *configFile) syntaxError(err error) error {
	var syntax *yaml.SyntaxError
	if errors.As(err, &syntax) && syntax.GetToken() != nil {
		return f.errorf(syntax.GetToken(), "not YAML: %s", syntax.GetMessage())
	}
	return fmt.Errorf("%s: not YAML: %v", f.path, err)
}

package cli

import (
	"fmt"
	"slices"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

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

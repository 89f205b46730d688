package proc

import "strings"

// TreeVar is the environment variable that marks a worker and all it starts. Its
// value names the worker's tree; see Reaper.Tree.
const TreeVar = "BROOD_TREE"

// treeOf finds the mark in an environment; the last one counts.
func treeOf(env []string) string {
	tree := ""
	for _, kv := range env {
		if v, ok := strings.CutPrefix(kv, TreeVar+"="); ok {
			tree = v
		}
	}
	return tree
}

// within says that a tree is another or was planted by one of its processes.
func within(tree, root string) bool {
	rest, ok := strings.CutPrefix(tree, root)
	return ok && (rest == "" || rest[0] == '/')
}

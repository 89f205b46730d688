package proc

import "strings"

// Reaper finds and ends what left its worker's process group and outlived the
// worker. A nil Reaper sweeps nothing. It touches nothing but children of this
// process, and a child's id cannot be given to anybody else before it is reaped.
type Reaper struct {
	prefix string     // of all trees made by Tree
	books  []*Spawner // whose processes are not orphans
	*adopted
}

// Tree is the value of TreeVar for a worker of that name. It begins with the
// tree this process itself is in, so that a supervisor above ours can sweep
// what we leave behind.
func (r *Reaper) Tree(name string) string {
	if r == nil {
		return name
	}
	return r.prefix + name
}

// Sweep ends all orphans of a tree, which is over: its worker's Done is closed. It
// returns how many it had to kill, and does not return before they are gone,
// unless one is stuck in the kernel. Costs one look at the system's processes
// when there is nothing to do.
func (r *Reaper) Sweep(tree string) (killed int) {
	if r == nil || tree == "" {
		return 0
	}
	return r.sweep(func(t string) bool { return within(t, tree) }, nobody)
}

// SweepAll ends all orphans of every tree made by Tree.
func (r *Reaper) SweepAll() (killed int) {
	if r == nil {
		return 0
	}
	return r.sweep(func(t string) bool { return strings.HasPrefix(t, r.prefix) }, nobody)
}

// nobody was killed in a cage.
func nobody(int) bool { return false }

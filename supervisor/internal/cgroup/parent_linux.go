package cgroup

import (
	"errors"
	"fmt"
	"slices"
)

// Parent is one supervisor's place for the cgroups of its workers.
type Parent struct {
	branches []*branch // the first can kill what is in it at once, if any can
	missing  error     // hierarchies that could not be used, and why
}

// Open makes a Parent and removes what killed supervisors have left behind. The error
// says, for users, why there can be no cgroups here.
func Open() (*Parent, error) {
	found, err := find()
	if err != nil {
		return nil, err
	}
	return open(found)
}

// Available says why there can be no cgroups here, or nil.
func Available() error {
	p, err := Open()
	if err != nil {
		return err
	}
	p.Close()
	return nil
}

func open(found []hierarchy) (*Parent, error) {
	if len(found) == 0 {
		return nil, errors.New("no cgroup file system is mounted: mount cgroup2 at /sys/fs/cgroup")
	}
	p := &Parent{}
	name := newName()
	var refused refusals
	for _, h := range found {
		if !h.v2 && !slices.ContainsFunc([]string{memory, pids, cpu, freezer}, h.has) {
			continue
		}
		h.sweep()
		b, err := newBranch(h, name)
		if err != nil {
			refused.add(h.name(), err)
			continue
		}
		p.branches = append(p.branches, b)
	}
	p.missing = refused.err()
	slices.SortStableFunc(p.branches, func(a, b *branch) int { return b.grip() - a.grip() })
	if len(p.branches) == 0 || p.branches[0].grip() == 0 {
		p.Close()
		return nil, fmt.Errorf("workers cannot be put into cgroups here: %w", p.missing)
	}
	return p, nil
}

// grip is how well a worker can be killed through the hierarchy.
func (b *branch) grip() int {
	switch {
	case b.v2:
		return 3
	case b.has(freezer):
		return 2
	case b.has(pids):
		return 1
	}
	return 0
}

// branch finds who keeps a controller's limits; nil if nobody can.
func (p *Parent) branch(controller string) *branch {
	for _, b := range p.branches {
		if b.keeps(controller) {
			return b
		}
	}
	return nil
}

// KeepsMemory says whether memory can be measured and limited.
func (p *Parent) KeepsMemory() bool { return p.branch(memory) != nil }

// Supports says which limit cannot be kept here, and why.
func (p *Parent) Supports(l Limits) error {
	for _, need := range []struct {
		wanted            bool
		controller, limit string
	}{
		{l.Memory > 0, memory, "hard_memory_limit"},
		{l.Pids > 0, pids, "pids_limit"},
		{l.CPU > 0, cpu, "cpu_limit"},
	} {
		if !need.wanted || p.branch(need.controller) != nil {
			continue
		}
		why := p.missing
		if why == nil {
			why = errors.New("it is not mounted, or not delegated to the supervisor's cgroup")
		}
		return fmt.Errorf("%s needs the %s controller of cgroups, which cannot be used here: %w", need.limit, need.controller, why)
	}
	return nil
}

// Close removes the Parent. Its cgroups have to be closed before.
func (p *Parent) Close() {
	for _, b := range p.branches {
		b.close()
	}
	p.branches = nil
}

package cgroup

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// hierarchy is one tree of cgroups, with our place in it.
type hierarchy struct {
	v2          bool
	controllers []string // of a v1 hierarchy; v2 tells in files
	home        string   // the directory of our own cgroup
}

// has says whether a v1 hierarchy is about a controller.
func (h *hierarchy) has(controller string) bool { return slices.Contains(h.controllers, controller) }

// name is for messages.
func (h *hierarchy) name() string {
	if h.v2 {
		return "cgroup v2"
	}
	return "cgroup v1 (" + strings.Join(h.controllers, ",") + ")"
}

// find lists the hierarchies that are mounted where we can see our own cgroup.
func find() ([]hierarchy, error) {
	mounts, err := os.ReadFile("/proc/self/mountinfo")
	if err != nil {
		return nil, fmt.Errorf("cannot tell where cgroups are mounted: %w", err)
	}
	own, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return nil, fmt.Errorf("cannot tell which cgroup this process is in: %w", err)
	}
	found := locate(string(mounts), string(own))
	return slices.DeleteFunc(found, func(h hierarchy) bool {
		st, err := os.Stat(h.home)
		return err != nil || !st.IsDir()
	}), nil
}

// locate matches the mounts with the lines of /proc/self/cgroup.
func locate(mounts, own string) []hierarchy {
	var found []hierarchy
	for line := range strings.Lines(own) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 || strings.HasPrefix(parts[1], "name=") {
			continue // a named hierarchy has no controllers
		}
		h := hierarchy{v2: parts[1] == ""}
		if !h.v2 {
			h.controllers = strings.Split(parts[1], ",")
		}
		for mount := range strings.Lines(mounts) {
			if dir, ok := h.in(mount, parts[2]); ok {
				h.home = dir
				found = append(found, h)
				break
			}
		}
	}
	return found
}

// in says where a cgroup is below a mount, a line of mountinfo, if it shows this hierarchy.
func (h *hierarchy) in(mount, path string) (string, bool) {
	before, after, ok := strings.Cut(mount, " - ")
	where, what := strings.Fields(before), strings.Fields(after)
	if !ok || len(where) < 5 || len(what) < 3 {
		return "", false
	}
	switch {
	case h.v2 && what[0] != "cgroup2", !h.v2 && what[0] != "cgroup":
		return "", false
	case !h.v2 && !slices.Contains(strings.Split(what[2], ","), h.controllers[0]):
		return "", false
	}
	// A container may see a part of the tree only.
	rel, err := filepath.Rel(unescape(where[3]), path)
	if err != nil || rel == ".." || strings.HasPrefix(rel, "../") {
		return "", false
	}
	dir := filepath.Join(unescape(where[4]), rel)
	if up := filepath.Dir(dir); h.v2 && filepath.Base(dir) == self && isParent(up) {
		dir = filepath.Dir(up) // another Parent of this process has moved us there
	}
	return dir, true
}

// unescape undoes what mountinfo does to blanks in paths.
func unescape(path string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(path)
}

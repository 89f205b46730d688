package chaos

import (
	"fmt"
	"os"
	"runtime"
	"slices"
	"time"

	"github.com/brood-run/brood/supervisor"
)

// patience is how long what ends by itself may take to be gone.
const patience = 5 * time.Second

// eventually looks until something holds or the time is over, and says whether it held.
func eventually(within time.Duration, holds func() bool) bool {
	look := time.NewTicker(2 * time.Millisecond)
	defer look.Stop()
	for late := time.Now().Add(within); !holds(); <-look.C {
		if time.Now().After(late) {
			return false
		}
	}
	return true
}

// possessions is what this process had at one time.
type possessions struct {
	children   []int
	files      int
	goroutines int
	scratch    []string
	groups     []string
}

// takeStock says what there is. Control groups are only looked for where some are made.
func takeStock(level supervisor.Isolation) possessions {
	p := possessions{files: openFiles(), goroutines: runtime.NumGoroutine(), scratch: scratch()}
	for _, c := range children() {
		p.children = append(p.children, c.pid)
	}
	if level != supervisor.IsolationGroup && level != "" {
		p.groups = groups()
	}
	return p
}

// Remains is what a run has left behind. All zero is how it should be.
type Remains struct {
	Processes  int `json:"processes"`
	Files      int `json:"file_descriptors"`
	Goroutines int `json:"goroutines"`
	Scratch    int `json:"temporary_files"`
	Groups     int `json:"cgroups"`
}

func (r Remains) none() bool { return r == Remains{} }

// compare says what is there that was not before, and shows it.
func compare(before, now possessions, mark string) (r Remains, evidence []string) {
	for _, p := range append(children(), marked(mark)...) {
		line := p.String()
		if !slices.Contains(before.children, p.pid) && !slices.Contains(evidence, line) {
			evidence = append(evidence, line)
		}
	}
	r.Processes = len(evidence)
	r.Files = max(0, now.files-before.files)
	r.Goroutines = max(0, now.goroutines-before.goroutines)
	for _, path := range beyond(now.scratch, before.scratch) {
		r.Scratch++
		evidence = append(evidence, "directory "+path)
	}
	for _, path := range beyond(now.groups, before.groups) {
		r.Groups++
		evidence = append(evidence, "cgroup "+path)
	}
	if r.Files > 0 {
		evidence = append(evidence, fmt.Sprintf("%d file descriptors, %d before: %v", now.files, before.files, descriptors()))
	}
	if r.Goroutines > 0 {
		stacks := make([]byte, 64<<10)
		stacks = stacks[:runtime.Stack(stacks, true)]
		evidence = append(evidence, fmt.Sprintf("%d goroutines, %d before:\n%s", now.goroutines, before.goroutines, stacks))
	}
	return r, evidence
}

func beyond(now, before []string) []string {
	return slices.DeleteFunc(slices.Clone(now), func(s string) bool { return slices.Contains(before, s) })
}

// descriptors says what each open file is.
func descriptors() []string {
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return nil
	}
	var all []string
	for _, e := range entries {
		if to, err := os.Readlink("/proc/self/fd/" + e.Name()); err == nil {
			all = append(all, e.Name()+" "+to)
		}
	}
	return all
}

// nothingLeft checks that all is as before. What ends by itself is given time.
func nothingLeft(before possessions, level supervisor.Isolation, mark string) (*Promise, Remains) {
	p := newPromise("nothing is left behind")
	var left Remains
	var evidence []string
	eventually(patience, func() bool {
		left, evidence = compare(before, takeStock(level), mark)
		return left.none()
	})
	for _, line := range evidence {
		p.breaks(line)
	}
	what := "processes, file descriptors, goroutines, temporary files"
	if level != supervisor.IsolationGroup && level != "" {
		what += ", cgroups"
	}
	p.found("%s as before", what)
	return p, left
}

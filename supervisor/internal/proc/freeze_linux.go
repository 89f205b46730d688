package proc

import (
	"time"

	"golang.org/x/sys/unix"
)

// patientRounds is how many rounds of killing a sweep takes before it stops everybody first.
const patientRounds = 2

// freeze ends trees that grow faster than round after round can kill them, as a fork bomb does: it
// stops all their processes, wherever they are, until there is none left to stop, and kills
// them then. It looks at all processes of the system, and touches those that carry the mark.
// skip are processes that need no look.
func freeze(ours func(tree string) bool, skip map[int]bool, deadline time.Time) (killed int) {
	stopped := map[int]bool{}
	for fresh := true; fresh && time.Now().Before(deadline); {
		fresh = false
		for _, pid := range numbers("/proc") {
			if !skip[pid] && !stopped[pid] && signalMarked(pid, unix.SIGSTOP, ours) {
				stopped[pid], fresh = true, true
			}
		}
	}
	for pid := range stopped {
		if signalMarked(pid, unix.SIGKILL, ours) {
			killed++
		}
	}
	return killed
}

// signalMarked sends a signal to a process if it is one of ours. Its number may belong to another one
// at any moment: the descriptor does not.
func signalMarked(pid int, sig unix.Signal, ours func(tree string) bool) bool {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return false // gone, or a kernel without pidfds
	}
	defer func() { _ = unix.Close(fd) }() // nothing was written to it
	tree := environTree(pid)
	return tree != "" && ours(tree) && unix.PidfdSendSignal(fd, sig, nil, 0) == nil
}

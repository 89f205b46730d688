//go:build unix && !linux

package proc

import "runtime"

// onOwnThread runs f on a thread that ends with it.
func onOwnThread(f func()) {
	runtime.LockOSThread()
	f()
}

// SweepCaged is Sweep: there are no cages here.
func (r *Reaper) SweepCaged(tree string, _ Cage, _ Exit) (killed int) { return r.Sweep(tree) }

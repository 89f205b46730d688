package proc

// Cage holds a process and all its descendants, wherever they go. Whoever makes one gives it
// to Start in a Command; it is closed when the process has ended. If Start returns an error
// it is still its maker's to close.
type Cage interface {
	// Enter has what the calling thread forks from now on born inside. A descriptor, if it is
	// not negative, is to be given to clone3.
	Enter() (fd int, err error)
	// Leave undoes Enter, on the same thread.
	Leave() error
	// Kill ends everything inside. It is no error that nothing is.
	Kill() error
	// Close kills what is inside and waits until it is gone, within limits. It says how many it
	// had to kill.
	Close() (left int, err error)
	// Held says whether a zombie was killed by Close.
	Held(pid int) bool
}

// empty ends what the process has left in its cage.
func (p *Process) empty() {
	if p.cage != nil {
		p.exit.Left, p.exit.LeftErr = p.cage.Close()
	}
}

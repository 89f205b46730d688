package proc

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// Command says what to start. Its standard input is /dev/null.
type Command struct {
	Path   string   // the executable; relative to the supervisor's directory, never searched for in PATH
	Args   []string // arguments after the program's name
	Env    []string // the whole environment; nil means the supervisor's
	Dir    string   // working directory; empty means the supervisor's
	Stdout *os.File // nil means /dev/null
	Stderr *os.File // nil means /dev/null
	Extra  []*os.File
	Limits Limits
}

// files lists the child's descriptors from 0 up.
func (c *Command) files(null *os.File) []*os.File {
	files := []*os.File{null, null, null}
	if c.Stdout != nil {
		files[1] = c.Stdout
	}
	if c.Stderr != nil {
		files[2] = c.Stderr
	}
	return append(files, c.Extra...)
}

// attr turns the command into what the kernel interface takes.
func (c *Command) attr(null *os.File, sys *syscall.SysProcAttr) *syscall.ProcAttr {
	a := &syscall.ProcAttr{Dir: c.Dir, Env: c.Env, Sys: sys}
	if a.Env == nil {
		a.Env = os.Environ()
	}
	for _, f := range c.files(null) {
		a.Files = append(a.Files, f.Fd())
	}
	return a
}

// absolute makes the path independent of Dir, which the child enters first.
func (c *Command) absolute() error {
	p, err := filepath.Abs(c.Path)
	if err != nil {
		return fmt.Errorf("cannot start %s: %w", c.Path, err)
	}
	c.Path = p
	return nil
}

// explain turns a refused fork or exec into a sentence. What is wrong with the
// file itself wraps ErrCannotStart; what may pass by itself does not.
func (c *Command) explain(err error) error {
	if d := Diagnose(c.Path); d != nil {
		return d
	}
	if c.Dir != "" {
		if st, e := os.Stat(c.Dir); e != nil {
			return fmt.Errorf("%w %s: its working directory is not there: %w", ErrCannotStart, c.Path, e)
		} else if !st.IsDir() {
			return fmt.Errorf("%w %s: its working directory %s is not a directory", ErrCannotStart, c.Path, c.Dir)
		}
	}
	hint := ""
	switch {
	case errors.Is(err, syscall.EAGAIN):
		hint = " (the limit of processes is reached: see ulimit -u and the cgroup's pids.max)"
	case errors.Is(err, syscall.ENOMEM):
		hint = " (the system has no memory left for another process)"
	case errors.Is(err, syscall.EMFILE):
		hint = " (the limit of open files is reached: see ulimit -n)"
	case errors.Is(err, syscall.E2BIG):
		hint = " (its arguments and environment are too large)"
	}
	return fmt.Errorf("%w%s", err, hint)
}

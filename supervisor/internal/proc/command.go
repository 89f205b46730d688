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
	Image  *os.File // started in place of what is at Path now; nil means that. From Hold
	Args   []string // arguments after the program's name
	Env    []string // the whole environment; nil means the supervisor's
	Dir    string   // working directory; empty means the supervisor's
	Stdout *os.File // nil means /dev/null
	Stderr *os.File // nil means /dev/null
	Extra  []*os.File
	Limits Limits
	Cage   Cage // nil means none
	// PIDNamespace starts it in a PID namespace of its own, whose processes all end with it.
	// Without CAP_SYS_ADMIN it is the first process there, in a user namespace besides:
	// signals it sends itself do nothing, and setuid programs gain nothing.
	PIDNamespace bool

	credential *syscall.Credential // set by Start
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
	files = append(files, c.Extra...)
	if c.Image != nil {
		files = append(files, c.Image)
	}
	return files
}

// program is the path of the file to start, for us.
func (c *Command) program() string {
	if c.Image != nil {
		return heldPath(c.Image.Fd())
	}
	return c.Path
}

// executable is the path of the file to start, for the child. It has a held one open, and not
// only until it is started: the interpreter of a script opens it too.
func (c *Command) executable() string {
	if c.Image != nil {
		return heldPath(uintptr(3 + len(c.Extra)))
	}
	return c.Path
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

// explain turns a refused fork or exec into a sentence. What will be refused the
// next time too wraps ErrCannotStart; what may pass by itself does not.
func (c *Command) explain(err error) error {
	if d := Diagnose(c.program()); d != nil {
		return d
	}
	if c.Dir != "" {
		if st, e := os.Stat(c.Dir); e != nil {
			return fmt.Errorf("%w %s: its working directory is not there: %w", ErrCannotStart, c.Path, e)
		} else if !st.IsDir() {
			return fmt.Errorf("%w %s: its working directory %s is not a directory", ErrCannotStart, c.Path, c.Dir)
		}
	}
	for _, r := range refusals() {
		if !errors.Is(err, r.errno) {
			continue
		}
		if r.lasting {
			return fmt.Errorf("%w %s: %w (%s)", ErrCannotStart, c.Path, err, r.hint)
		}
		return fmt.Errorf("%w (%s)", err, r.hint)
	}
	return err
}

// refusal is what the kernel may say to a file with which nothing seems wrong.
type refusal struct {
	errno   syscall.Errno
	lasting bool
	hint    string
}

func refusals() []refusal {
	return []refusal{
		{syscall.EACCES, true, "the user it runs as may not execute it: check the file and the folders above it"},
		{syscall.ENOENT, true, "something it needs to start is not there"},
		{syscall.ENOEXEC, true, "this system cannot run it"},
		{syscall.E2BIG, true, "its arguments and environment are too large"},
		{syscall.ETXTBSY, false, "somebody has it open for writing"},
		{syscall.EAGAIN, false, "the limit of processes is reached: see ulimit -u and the cgroup's pids.max"},
		{syscall.ENOMEM, false, "the system has no memory left for another process"},
		{syscall.ENOSPC, false, "the limit of namespaces is reached: see the sysctls user.max_pid_namespaces and user.max_user_namespaces"},
		{syscall.EMFILE, false, "the limit of open files is reached: see ulimit -n"},
		// Our files are open: it is the child that cannot number its copies beyond the limit.
		{syscall.EBADF, false, "the limit of open files is reached: see ulimit -n"},
	}
}

//go:build unix && !linux

package proc

import (
	"os"
	"syscall"
)

// start leaves the fork to the os package: without Pdeathsig any thread will do.
func start(c *Command, null *os.File) (*Process, error) {
	p, err := os.StartProcess(c.executable(), append([]string{c.Path}, c.Args...), &os.ProcAttr{
		Dir:   c.Dir,
		Env:   c.Env,
		Files: c.files(null),
		Sys:   &syscall.SysProcAttr{Setpgid: true, Credential: c.credential},
	})
	if err != nil {
		return nil, err
	}
	return newProcess(p.Pid, handle{proc: p}), nil
}

func setNoNewPrivs() error { return errNoNewPrivs }

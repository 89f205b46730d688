package outlast

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a test waits for what should take a moment.
const patience = 60 * time.Second

// process is a program that a test has started.
type process struct {
	name  string
	cmd   *exec.Cmd
	ended chan struct{} // closed when it is gone and all that it said is read

	mu     sync.Mutex
	said   bytes.Buffer
	awaits map[string]chan struct{} // what somebody waits for it to say
}

// run starts a program, which is killed when the test ends.
func run(t testing.TB, name string, env []string, program string, args ...string) *process {
	t.Helper()
	p := &process{name: name, ended: make(chan struct{}), awaits: map[string]chan struct{}{}}
	p.cmd = exec.Command(program, args...)
	p.cmd.Env = append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			p.hear(lines.Text())
		}
		_ = p.cmd.Wait() // how it ended is looked at by whoever cares
	}()
	t.Cleanup(func() {
		p.kill()
		if t.Failed() {
			t.Logf("%s (pid %d) said:\n%s", p.name, p.cmd.Process.Pid, p.tail())
		}
	})
	return p
}

// hear takes a line.
func (p *process) hear(line string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.said.WriteString(line + "\n")
	for what, there := range p.awaits {
		if strings.Contains(line, what) {
			delete(p.awaits, what)
			close(there)
		}
	}
}

// says returns a channel that is closed when the process has said something, now or before.
func (p *process) says(what string) <-chan struct{} {
	p.mu.Lock()
	defer p.mu.Unlock()
	there := p.awaits[what]
	if there == nil {
		there = make(chan struct{})
		if bytes.Contains(p.said.Bytes(), []byte(what)) {
			close(there)
			return there
		}
		p.awaits[what] = there
	}
	return there
}

// await waits until it says something.
func (p *process) await(what string) error {
	late := time.NewTimer(patience)
	defer late.Stop()
	select {
	case <-p.says(what):
		return nil
	case <-p.ended:
		return fmt.Errorf("%s has ended (%v) before it said %q", p.name, p.cmd.ProcessState, what)
	case <-late.C:
		return fmt.Errorf("%s did not say %q within %v", p.name, what, patience)
	}
}

// tail is the end of what it said.
func (p *process) tail() string {
	const most = 6000
	p.mu.Lock()
	defer p.mu.Unlock()
	said := p.said.Bytes()
	return string(said[max(0, len(said)-most):])
}

func (p *process) signal(s syscall.Signal) { _ = p.cmd.Process.Signal(s) } // it may be gone

// kill ends it at once, whatever it does.
func (p *process) kill() {
	p.signal(syscall.SIGKILL)
	<-p.ended
}

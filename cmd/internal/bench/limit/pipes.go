package limit

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"time"
)

// Pipes are children that echo tasks, each at the end of its own pair of pipes.
type Pipes struct{ children []*child }

// child is one process. Its pipes are made here, because those of package exec are
// closed by Wait.
type child struct {
	cmd *exec.Cmd
	in  *os.File // to it
	out *os.File // from it
}

// OpenPipes starts n children from the program bare and waits until each has answered.
func OpenPipes(bare string, n int) (*Pipes, error) {
	p := &Pipes{}
	for range n {
		c, err := startChild(bare)
		if err != nil {
			return nil, errors.Join(err, p.Close())
		}
		p.children = append(p.children, c)
	}
	for _, c := range p.children {
		if _, err := c.alone([]byte("ready?"), 0); err != nil {
			return nil, errors.Join(err, p.Close())
		}
	}
	return p, nil
}

func startChild(bare string) (*child, error) {
	theirIn, in, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer theirIn.Close()
	out, theirOut, err := os.Pipe()
	if err != nil {
		in.Close()
		return nil, err
	}
	defer theirOut.Close()
	c := &child{cmd: exec.Command(bare, "echo"), in: in, out: out}
	c.cmd.Stdin, c.cmd.Stdout = theirIn, theirOut
	if err := c.cmd.Start(); err != nil {
		in.Close()
		out.Close()
		return nil, err
	}
	return c, nil
}

// Close ends the children and waits for them.
func (p *Pipes) Close() error {
	var errs []error
	for _, c := range p.children {
		c.in.Close()
	}
	for _, c := range p.children {
		if err := c.cmd.Wait(); err != nil {
			errs = append(errs, fmt.Errorf("bare pipe child: %w", err))
		}
		c.out.Close()
	}
	return errors.Join(errs...)
}

// RSS is the mean resident memory of the children, in bytes; 0 if this system does not say.
func (p *Pipes) RSS() uint64 {
	sum := uint64(0)
	for _, c := range p.children {
		sum += RSS(c.cmd.Process.Pid)
	}
	return sum / uint64(len(p.children))
}

// Saturate sends payloads for d, after a warm-up of a quarter of that, with inFlight of
// them unanswered in all, and returns how many came back each second.
func (p *Pipes) Saturate(payload []byte, inFlight int, d time.Duration) (float64, error) {
	from := time.Now().Add(d / 4)
	loops := make([]*loop, len(p.children))
	var group sync.WaitGroup
	for i, c := range p.children {
		loops[i] = newLoop(c, payload, max(1, inFlight/len(p.children)), from, d)
		group.Go(loops[i].run)
	}
	group.Wait()
	rate := 0.0
	for _, l := range loops {
		if l.err != nil {
			return 0, l.err
		}
		rate += l.rate()
	}
	return rate, nil
}

// Alone sends one payload at a time to the first child for d, and returns how long
// each took.
func (p *Pipes) Alone(payload []byte, d time.Duration) ([]time.Duration, error) {
	if _, err := p.children[0].alone(payload, d/4); err != nil {
		return nil, err
	}
	return p.children[0].alone(payload, d)
}

package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"sync"
	"syscall"
	"time"

	"github.com/brood-run/brood/child"
)

// grandchildKey makes this program play a grandchild: it sleeps that many milliseconds.
const grandchildKey = "FAULTY_GRANDCHILD_MS"

// sleepAsGrandchild does so if this process was started for it.
func sleepAsGrandchild() bool {
	ms, err := strconv.Atoi(os.Getenv(grandchildKey))
	if err != nil {
		return false
	}
	time.Sleep(time.Duration(ms) * time.Millisecond)
	return true
}

type grandchildParams struct {
	Setsid bool `json:"setsid"`
	MS     int  `json:"ms"`
}

type grandchildAnswer struct {
	PID int `json:"pid"`
}

// nursery reaps grandchildren that end while this process lives. A process that
// ends first does not wait for them: being left behind is their purpose.
type nursery struct{ reapers sync.WaitGroup }

// grandchild starts a process that does nothing. It holds none of our pipes, so
// that only its being there gives it away.
func (n *nursery) grandchild(_ context.Context, p grandchildParams) (grandchildAnswer, error) {
	if p.MS < 0 {
		return grandchildAnswer{}, child.Permanent(fmt.Errorf("ms is %d; it cannot be negative", p.MS))
	}
	self, err := os.Executable()
	if err != nil {
		return grandchildAnswer{}, fmt.Errorf("find this program: %w", err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), grandchildKey+"="+strconv.Itoa(p.MS))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: p.Setsid}
	if err := cmd.Start(); err != nil {
		return grandchildAnswer{}, fmt.Errorf("start a grandchild: %w", err)
	}
	n.reapers.Go(func() { _ = cmd.Wait() }) // killed or not, it is gone
	return grandchildAnswer{cmd.Process.Pid}, nil
}

package cgroup

import (
	"time"
)

// batch is how many bytes the kernel takes from a limit at a time.
const batch = 64 * 4096

// Memory is what all processes inside take now: anonymous and shared memory, like their
// resident memory but counted once, and without the page cache. False if it cannot be told.
func (c *Cgroup) Memory() (uint64, bool) {
	t := c.part(memory)
	if t == nil {
		return 0, false
	}
	data, err := read(t.dir, "memory.stat")
	if err != nil {
		return 0, false
	}
	if t.v2 {
		return field(data, "anon") + field(data, "shmem"), true
	}
	return field(data, "total_rss") + field(data, "total_shmem"), true
}

// Events reads the counters; after Close, what they were in the end.
func (c *Cgroup) Events() Events {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.last
	}
	return c.read()
}

func (c *Cgroup) read() Events {
	e := Events{OOMKills: c.oomKills()}
	if t := c.part(memory); t != nil && t.v2 {
		data, _ := read(t.dir, "memory.events") // if it is not there, nothing was counted
		e.AtLimit = field(data, "oom") > 0
		e.Peak = number(t.dir, "memory.peak")
	} else if t != nil {
		// Not failcnt: kernels from 6.12 on may not count it.
		e.Peak = number(t.dir, "memory.max_usage_in_bytes")
		e.AtLimit = c.limits.Memory > 0 && e.Peak+batch >= c.limits.Memory
	}
	e.CPU = c.cpu()
	return e
}

// OOMKills is Events.OOMKills alone, read with as little effort as can be.
func (c *Cgroup) OOMKills() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.last.OOMKills
	}
	return c.oomKills()
}

func (c *Cgroup) oomKills() int {
	t := c.part(memory)
	if t == nil {
		return 0
	}
	file := "memory.oom_control"
	if t.v2 {
		file = "memory.events"
	}
	data, _ := read(t.dir, file) // if it is not there, nothing was counted
	return int(field(data, "oom_kill"))
}

// CPU is the time used by all processes there ever were; zero if the kernel does not tell.
func (c *Cgroup) CPU() time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return c.last.CPU
	}
	return c.cpu()
}

// cpu goes by v2, which counts without a controller.
func (c *Cgroup) cpu() time.Duration {
	t := c.parts[0]
	if !t.v2 {
		return 0
	}
	data, _ := read(t.dir, "cpu.stat")
	return time.Duration(field(data, "usage_usec")) * time.Microsecond
}

// part finds who keeps a controller.
func (c *Cgroup) part(controller string) *part {
	for i := range c.parts {
		if c.parts[i].keeps(controller) {
			return &c.parts[i]
		}
	}
	return nil
}

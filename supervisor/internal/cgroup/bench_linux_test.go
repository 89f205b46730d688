package cgroup

import (
	"runtime"
	"strconv"
	"testing"
)

// What a worker's start and end cost more.
func BenchmarkLife(b *testing.B) {
	for name, limits := range map[string]Limits{"memory": {Memory: 1 << 30}, "all": some} {
		b.Run(name, func(b *testing.B) {
			runtime.LockOSThread() // never unlocked: should something fail, the thread ends inside
			p := openAll(b)
			for i := 0; b.Loop(); i++ {
				c, err := p.New(strconv.Itoa(i), limits)
				if err != nil {
					b.Fatal(err)
				}
				if _, err := c.Enter(); err != nil {
					b.Fatal(err)
				}
				if err := c.Leave(); err != nil {
					b.Fatal(err)
				}
				if _, err := c.Close(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// What a look at a worker costs.
func BenchmarkLook(b *testing.B) {
	c := openAll(b).make(b, some)
	child := start(b, c, "sleep")
	says(b, child.out, "ready")
	for b.Loop() {
		if _, ok := c.Memory(); !ok || c.OOMKills() > 0 {
			b.Fatal("it cannot be measured")
		}
	}
}

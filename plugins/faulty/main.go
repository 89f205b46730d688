package main

import (
	"os"
	"syscall"

	"github.com/brood-run/brood/child"
)

func main() {
	if sleepAsGrandchild() {
		return
	}
	misbehaveAtStart(os.Getenv("FAULTY_START"))
	p := child.New("faulty", child.Version("1.0"))
	for name, h := range tasks() {
		p.Handle(name, h)
	}
	p.Serve()
}

// tasks are all misbehaviours by name.
func tasks() map[string]child.Handler {
	memory, family := &hoard{}, &nursery{}
	return map[string]child.Handler{
		"ok":         ok,
		"pid":        handler(struct{}{}, pid),
		"sleep":      handler(duration{MS: 1000}, sleep),
		"spin":       handler(duration{MS: 1000}, spin),
		"hang":       handler(struct{}{}, hang),
		"fail":       handler(message{"failed as asked"}, fail),
		"retry":      handler(retryParams{SucceedOn: 2}, retry),
		"panic":      handler(message{"panicked as asked"}, panics),
		"exit":       handler(exitParams{Code: 1}, exit),
		"signal":     handler(signalParams{signalNumber(syscall.SIGSEGV)}, die),
		"stop":       handler(struct{}{}, stop),
		"leak":       handler(leakParams{MiBPerS: 64}, memory.leak),
		"print":      handler(printParams{Lines: 1}, prints),
		"flood":      handler(struct{}{}, flood),
		"grandchild": handler(grandchildParams{MS: 60_000}, family.grandchild),
		"badframe":   handler(struct{}{}, badFrame),
	}
}

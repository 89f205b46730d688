// Inmate is a plugin whose tasks try what a limit should refuse them, and answer with how it
// went: "done", or the error.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/brood-run/brood/child"
)

func main() {
	p := child.New("inmate")
	for name, try := range map[string]func(arg string) (string, error){
		"read": read, "write": write, "run": run, "dial": dial, "network": network,
		"open": open, "map": reserve, "spin": spin, "env": environ,
	} {
		p.Handle(name, func(_ context.Context, payload []byte) ([]byte, error) {
			answer, err := try(string(payload))
			if err != nil {
				answer = strings.TrimSpace(answer + " " + err.Error())
			}
			return []byte(answer), nil
		})
	}
	p.Serve()
}

const done = "done"

func read(path string) (string, error) {
	if _, err := os.ReadFile(path); err != nil {
		return "", err
	}
	return done, nil
}

// write makes a file of 64 KiB.
func write(path string) (string, error) { return done, os.WriteFile(path, make([]byte, 64<<10), 0o600) }

// run has a shell do it and answers with what that printed.
func run(script string) (string, error) {
	out, err := exec.Command("/bin/sh", "-c", script).CombinedOutput()
	return strings.TrimSpace(string(out)), err
}

func dial(address string) (string, error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return "", err
	}
	return done, conn.Close()
}

// network names the network namespace.
func network(string) (string, error) {
	return os.Readlink("/proc/self/ns/net")
}

// open opens a thousand files.
func open(path string) (string, error) {
	for i := range 1000 {
		f, err := os.Open(path)
		if err != nil {
			return fmt.Sprintf("opened %d:", i), err
		}
		defer f.Close()
	}
	return done, nil
}

// reserve asks for 8 GiB of addresses.
func reserve(string) (string, error) {
	b, err := syscall.Mmap(-1, 0, 8<<30, syscall.PROT_NONE, syscall.MAP_ANON|syscall.MAP_PRIVATE)
	if err != nil {
		return "", err
	}
	return done, syscall.Munmap(b)
}

func spin(string) (string, error) {
	for {
	}
}

func environ(string) (string, error) { return strings.Join(os.Environ(), "\n"), nil }

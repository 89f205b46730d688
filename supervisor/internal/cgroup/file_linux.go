package cgroup

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// write sets a file of a cgroup. It takes one system call for each step: os.WriteFile
// would truncate it too, and offer it to the poller.
func write(dir, file, value string) error {
	path := filepath.Join(dir, file)
	fd, err := openFile(path, syscall.O_WRONLY)
	if err != nil {
		return err
	}
	defer func() { _ = syscall.Close(fd) }() // it has been written, or not
	if _, err := ignoringEINTR(func() (int, error) { return syscall.Write(fd, []byte(value)) }); err != nil {
		return &os.PathError{Op: "write " + strings.TrimSpace(value) + " to", Path: path, Err: err}
	}
	return nil
}

// read reads a short file of a cgroup.
func read(dir, file string) ([]byte, error) {
	path := filepath.Join(dir, file)
	fd, err := openFile(path, syscall.O_RDONLY)
	if err != nil {
		return nil, err
	}
	defer func() { _ = syscall.Close(fd) }() // only read
	buf := make([]byte, 0, 4096)             // memory.stat has two thirds of that
	for {
		n, err := ignoringEINTR(func() (int, error) { return syscall.Read(fd, buf[len(buf):cap(buf)]) })
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: path, Err: err}
		}
		if n == 0 {
			return buf, nil
		}
		if buf = buf[:len(buf)+n]; len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
	}
}

func openFile(path string, mode int) (int, error) {
	fd, err := ignoringEINTR(func() (int, error) { return syscall.Open(path, mode|syscall.O_CLOEXEC, 0) })
	if err != nil {
		return -1, &os.PathError{Op: "open", Path: path, Err: err}
	}
	return fd, nil
}

func ignoringEINTR(f func() (int, error)) (int, error) {
	for {
		if n, err := f(); err != syscall.EINTR {
			return n, err
		}
	}
}

// exists says whether a cgroup has a file: which there are tells what the kernel can do.
func exists(dir, file string) bool {
	var st syscall.Stat_t
	return syscall.Stat(filepath.Join(dir, file), &st) == nil
}

// words reads a file of names.
func words(dir, file string) []string {
	data, err := read(dir, file)
	if err != nil {
		return nil
	}
	return strings.Fields(string(data))
}

// number reads a file that is one; zero if it is not there, or says "max".
func number(dir, file string) uint64 {
	data, err := read(dir, file)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseUint(string(bytes.TrimSpace(data)), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// field finds a number in lines of the form "name number"; zero if it is not there.
func field(data []byte, name string) uint64 {
	for line := range bytes.Lines(data) {
		key, value, ok := bytes.Cut(bytes.TrimSpace(line), []byte(" "))
		if !ok || string(key) != name {
			continue
		}
		n, err := strconv.ParseUint(string(value), 10, 64)
		if err != nil {
			return 0
		}
		return n
	}
	return 0
}

// below lists the cgroups in a cgroup.
func below(dir string) []string {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil // it is gone
	}
	var dirs []string
	for _, e := range entries {
		if e.IsDir() {
			dirs = append(dirs, filepath.Join(dir, e.Name()))
		}
	}
	return dirs
}

// members lists the processes of a cgroup and those below it.
func members(dir string) []int {
	var found []int
	for _, word := range words(dir, "cgroup.procs") {
		if pid, err := strconv.Atoi(word); err == nil {
			found = append(found, pid)
		}
	}
	for _, d := range below(dir) {
		found = append(found, members(d)...)
	}
	return found
}

package proc

import (
	"debug/elf"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// confinesFiles says whether there is a list of what may be read or written.
func (l Limits) confinesFiles() bool { return len(l.AllowRead)+len(l.AllowWrite) > 0 }

// validateConfinement finds paths that cannot be meant, and what this system has no means for.
func (l Limits) validateConfinement() error {
	if !l.confinesFiles() {
		return nil
	}
	if err := allowListSupport(); err != nil {
		field := "allow_write"
		if len(l.AllowRead) > 0 {
			field = "allow_read"
		}
		return fmt.Errorf("%s: %w", field, err)
	}
	_, err := l.allowed()
	return err
}

// loaders are the programs that the kernel starts when it is asked to start a file: a
// script's interpreter, a program's dynamic loader, and the loader of the interpreter.
func loaders(path string) []string {
	var found []string
	for range 5 { // the kernel goes no deeper
		path = loader(path)
		if !filepath.IsAbs(path) {
			break
		}
		found = append(found, path)
	}
	return found
}

// loader is the program that a file names to be started with; empty if there is none, or
// the file cannot be read.
func loader(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	head := make([]byte, 4096)
	n, _ := io.ReadFull(f, head) // most scripts are shorter
	if line, ok := strings.CutPrefix(string(head[:n]), "#!"); ok {
		line, _, _ = strings.Cut(line, "\n")
		if words := strings.Fields(line); len(words) > 0 {
			return words[0]
		}
		return ""
	}
	file, err := elf.NewFile(f)
	if err != nil {
		return ""
	}
	return interpreter(file)
}

package proc

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// ErrCannotStart is wrapped by errors about a command that will not start the next
// time either, unless somebody mends it.
var ErrCannotStart = errors.New("cannot start")

// Diagnose says why the binary at path cannot be started, or nil if nothing is
// wrong with it. The error wraps ErrCannotStart.
func Diagnose(path string) error {
	why := diagnose(path)
	if why == "" {
		return nil
	}
	return fmt.Errorf("%w %s: %s", ErrCannotStart, path, why)
}

func diagnose(path string) string {
	st, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing(path)
	case err != nil:
		return fmt.Sprintf("it cannot be looked at: %v", err)
	case st.IsDir():
		return "it is a directory, not an executable"
	case !st.Mode().IsRegular():
		return fmt.Sprintf("it is not a regular file (%v)", st.Mode())
	case st.Mode()&0o111 == 0:
		return fmt.Sprintf("it is not executable (mode %v, owner %s): try chmod +x", st.Mode(), owner(st))
	case unix.Access(path, unix.X_OK) != nil:
		return fmt.Sprintf("we may not execute it (mode %v, owner %s), or its file system is mounted noexec", st.Mode(), owner(st))
	case st.Size() == 0:
		return "the file is empty"
	}
	return content(path)
}

func missing(path string) string {
	if target, err := os.Readlink(path); err == nil {
		return fmt.Sprintf("it is a link to %s, which does not exist", target)
	}
	return "there is no such file"
}

func owner(st fs.FileInfo) string {
	sys, ok := st.Sys().(*syscall.Stat_t)
	if !ok {
		return "unknown"
	}
	return fmt.Sprintf("%d:%d, we are %d:%d", sys.Uid, sys.Gid, os.Geteuid(), os.Getegid())
}

// content looks into the file. One that can be executed but not read is left to
// the kernel.
func content(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return ""
	}
	defer func() { _ = f.Close() }() // only read
	head := make([]byte, 4)
	n, err := io.ReadFull(f, head)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return fmt.Sprintf("it cannot be read: %v", err)
	}
	head = head[:n]
	if strings.HasPrefix(string(head), "#!") {
		return script(f)
	}
	return program(f, head)
}

// script checks the first line of a script for its interpreter.
func script(f *os.File) string {
	if _, err := f.Seek(2, io.SeekStart); err != nil {
		return fmt.Sprintf("it cannot be read: %v", err)
	}
	line, err := bufio.NewReaderSize(io.LimitReader(f, 4096), 4096).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Sprintf("it cannot be read: %v", err)
	}
	words := strings.Fields(line)
	if len(words) == 0 {
		return "it is a script that names no interpreter after #!"
	}
	if strings.HasSuffix(line, "\r\n") {
		return "it is a script with Windows line ends, so its interpreter is not found: convert it with dos2unix"
	}
	if _, err := os.Stat(words[0]); err != nil {
		return fmt.Sprintf("it is a script whose interpreter %s does not exist", words[0])
	}
	if unix.Access(words[0], unix.X_OK) != nil {
		return fmt.Sprintf("it is a script whose interpreter %s is not executable", words[0])
	}
	return ""
}

package main

import (
	"bufio"
	"encoding/binary"
	"io"
	"os"
	"syscall"
)

func main() {
	how := ""
	if len(os.Args) > 1 {
		how = os.Args[1]
	}
	switch how {
	case "exit":
	case "byte":
		if _, err := os.Stdout.Write([]byte{1}); err != nil {
			os.Exit(1)
		}
	case "echo":
		if err := echo(polled(0), polled(1)); err != nil {
			os.Exit(1)
		}
	default:
		os.Stderr.WriteString("bare measures the limits of this machine for brood's table and does nothing when run by hand\n")
		os.Exit(2)
	}
}

// polled reads and writes through the runtime's poller, as a worker does: a blocked
// system call would cost a round trip twice the time.
func polled(fd int) *os.File {
	_ = syscall.SetNonblock(fd, true) // where that fails it blocks, and works
	return os.NewFile(uintptr(fd), "")
}

// echo sends each frame back: a length of four bytes and so many bytes. Replies go out
// together once nothing more has arrived.
func echo(in io.Reader, out io.Writer) error {
	r, w := bufio.NewReaderSize(in, 64<<10), bufio.NewWriterSize(out, 64<<10)
	var frame []byte
	for {
		head, err := r.Peek(4)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		n := 4 + int(binary.LittleEndian.Uint32(head))
		if cap(frame) < n {
			frame = make([]byte, n)
		}
		if _, err := io.ReadFull(r, frame[:n]); err != nil {
			return err
		}
		if _, err := w.Write(frame[:n]); err != nil {
			return err
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

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

// headSize is what goes before a payload: its length in four bytes and the task's id
// in eight.
const headSize = 12

// echo answers each task with a frame of its id and payload. Answers go out together once
// nothing more has arrived.
func echo(in io.Reader, out io.Writer) error {
	r, w := bufio.NewReaderSize(in, 64<<10), bufio.NewWriterSize(out, 64<<10)
	var reply []byte
	for {
		head, err := r.Peek(headSize)
		if err == io.EOF && len(head) == 0 {
			return nil
		}
		if err != nil {
			return err
		}
		n, id := int(binary.LittleEndian.Uint32(head)), binary.LittleEndian.Uint64(head[4:])
		if _, err := r.Discard(headSize); err != nil {
			return err
		}
		if cap(reply) < headSize+n {
			reply = make([]byte, headSize+n)
		}
		reply = reply[:headSize+n]
		binary.LittleEndian.PutUint32(reply, uint32(n))
		binary.LittleEndian.PutUint64(reply[4:], id)
		if _, err := io.ReadFull(r, reply[headSize:]); err != nil {
			return err
		}
		if _, err := w.Write(reply); err != nil {
			return err
		}
		if r.Buffered() == 0 {
			if err := w.Flush(); err != nil {
				return err
			}
		}
	}
}

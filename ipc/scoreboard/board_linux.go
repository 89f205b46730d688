package scoreboard

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"syscall"
	"unsafe"
)

// Constants that package syscall, frozen long ago, does not have.
const (
	mfdCloexec      = 0x1
	mfdAllowSealing = 0x2
	fAddSeals       = 1033
	sealSeal        = 0x1
	sealShrink      = 0x2
	sealGrow        = 0x4
	fionread        = 0x541b
)

// memfdCreate returns the number of memfd_create(2) on this architecture, 0 if it
// is not known here.
func memfdCreate() uintptr {
	switch runtime.GOARCH {
	case "amd64":
		return 319
	case "386":
		return 356
	case "arm":
		return 385
	case "arm64", "loong64", "riscv64":
		return 279
	case "ppc64", "ppc64le":
		return 360
	case "s390x":
		return 350
	}
	return 0
}

// Create makes the pages and maps them. The file is for the worker to inherit; the
// caller closes it once the worker runs. Where pages cannot be shared the error is
// errors.ErrUnsupported, and both sides do without.
func Create() (*Board, *os.File, error) {
	trap := memfdCreate()
	if trap == 0 {
		return nil, nil, fmt.Errorf("scoreboard: %s: %w", runtime.GOARCH, errors.ErrUnsupported)
	}
	name := []byte("brood-scoreboard\x00")
	fd, _, errno := syscall.Syscall(trap, uintptr(unsafe.Pointer(&name[0])), mfdCloexec|mfdAllowSealing, 0)
	if errno != 0 {
		return nil, nil, fmt.Errorf("scoreboard: create the page: %w", errno)
	}
	f := os.NewFile(fd, "brood-scoreboard")
	b, err := prepare(f)
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return b, f, nil
}

// prepare fixes the page's size for good: a worker that could shrink it would
// make the supervisor's next access a SIGBUS.
func prepare(f *os.File) (*Board, error) {
	if err := f.Truncate(mapped); err != nil {
		return nil, fmt.Errorf("scoreboard: size the page: %w", err)
	}
	if _, _, errno := syscall.Syscall(syscall.SYS_FCNTL, f.Fd(), fAddSeals, sealSeal|sealShrink|sealGrow); errno != 0 {
		return nil, fmt.Errorf("scoreboard: seal the page: %w", errno)
	}
	return Open(f)
}

// Open maps the page behind f. The file may be closed afterwards.
func Open(f *os.File) (*Board, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("scoreboard: %w", err)
	}
	if info.Size() < mapped {
		return nil, fmt.Errorf("scoreboard: %s has %d bytes, not %d", f.Name(), info.Size(), mapped)
	}
	page, err := syscall.Mmap(int(f.Fd()), 0, mapped, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	if err != nil {
		return nil, fmt.Errorf("scoreboard: map %s: %w", f.Name(), err)
	}
	return &Board{page: page, word: (*[Size / 8]atomic.Uint64)(unsafe.Pointer(&page[0]))}, nil
}

// Close unmaps the page. Nobody may use the Board afterwards; the other side's
// view lives on. Closing twice is harmless.
func (b *Board) Close() error {
	page := b.page
	if page == nil {
		return nil
	}
	b.page, b.word = nil, nil
	return syscall.Munmap(page)
}

// unread asks how many bytes wait in the pipe behind fd. The call never blocks,
// so it need not tell the scheduler.
func unread(fd uintptr) (uint64, bool) {
	var n int32
	_, _, errno := syscall.RawSyscall(syscall.SYS_IOCTL, fd, fionread, uintptr(unsafe.Pointer(&n)))
	return uint64(max(n, 0)), errno == 0
}

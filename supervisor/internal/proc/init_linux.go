package proc

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"

	"golang.org/x/sys/unix"
)

// initName is what the init of a namespace is called in a list of processes.
const initName = "brood-init"

// initProgram is the least that can be the first process of a PID namespace: it lets the kernel
// reap the orphans that become its children, and does nothing until it is killed, and
// with it everything in the namespace. A worker cannot be the first process itself: that
// one is immune to signals from within, its own included, and has to reap orphans.
//
// It is written down in machine code because nothing else is small enough to stand beside each
// worker: it takes some pages of memory and 0.2 ms.
func initProgram() ([]byte, error) {
	code, machine := initCode()
	if code == "" {
		return nil, fmt.Errorf("there is no init program for %s", runtime.GOARCH)
	}
	const base, head, segment = 0x400000, 64, 56 // address, sizes of the two headers
	size := uint64(head + segment + len(code))
	file := make([]byte, 0, size)
	header := elf.Header64{
		Type: uint16(elf.ET_EXEC), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT),
		Entry: base + head + segment, Phoff: head, Ehsize: head, Phentsize: segment, Phnum: 1,
	}
	copy(header.Ident[:], elf.ELFMAG)
	header.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	header.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	header.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	load := elf.Prog64{
		Type: uint32(elf.PT_LOAD), Flags: uint32(elf.PF_R | elf.PF_X),
		Vaddr: base, Filesz: size, Memsz: size, Align: 0x1000,
	}
	file, err := binary.Append(file, binary.LittleEndian, &header)
	if err != nil {
		return nil, err
	}
	if file, err = binary.Append(file, binary.LittleEndian, &load); err != nil {
		return nil, err
	}
	return append(file, code...), nil
}

// newInitFile puts the program where it can be executed and nobody can change it.
func newInitFile() (*os.File, error) {
	program, err := initProgram()
	if err != nil {
		return nil, err
	}
	fd, err := unix.MemfdCreate(initName, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING|unix.MFD_EXEC)
	if errors.Is(err, unix.EINVAL) { // before Linux 6.3 all are executable
		fd, err = unix.MemfdCreate(initName, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	}
	if err != nil {
		return nil, fmt.Errorf("no program may be made in memory (see the sysctl vm.memfd_noexec): %w", err)
	}
	f := os.NewFile(uintptr(fd), initName)
	if _, err = f.Write(program); err == nil {
		_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_WRITE|unix.F_SEAL_GROW|unix.F_SEAL_SHRINK|unix.F_SEAL_SEAL)
	}
	if err != nil {
		return nil, errors.Join(err, f.Close())
	}
	// Above the numbers that a child's own descriptors are put at.
	high, err := unix.FcntlInt(f.Fd(), unix.F_DUPFD_CLOEXEC, 10)
	if err := errors.Join(err, f.Close()); err != nil {
		return nil, err
	}
	return os.NewFile(uintptr(high), initName), nil
}

// lowestPID is where the kernel begins again when it runs out of process numbers.
const lowestPID = 300

// firstPID chooses where a namespace begins to count. If each counted from 2, tasks in several
// workers would have the same numbers, and scripts put those into the names of temporary
// files. In a form that the kernel and the init program take: eight characters.
func firstPID() string {
	highest, err := readInt("/proc/sys/kernel/pid_max")
	if err != nil || highest < 2*lowestPID {
		highest = 1 << 15
	}
	return fmt.Sprintf("%8d", lowestPID+rand.IntN(highest-2*lowestPID))
}

package proc

import (
	"debug/elf"
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestDiagnose(t *testing.T) {
	dir := t.TempDir()
	file := func(name, content string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(content), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "gone"), link); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ path, want string }{
		{"/bin/true", ""},
		{"/proc/self/exe", ""},
		{file("good.sh", "#!/bin/sh -e\n", 0o755), ""},
		{file("env.sh", "#! /usr/bin/env sh\n", 0o755), ""},
		{filepath.Join(dir, "missing"), "there is no such file"},
		{link, "it is a link to " + filepath.Join(dir, "gone")},
		{dir, "it is a directory"},
		{os.DevNull, "not a regular file"},
		{file("plain", "#!/bin/sh\n", 0o644), "not executable (mode -rw-r--r--, owner "},
		{file("empty", "", 0o755), "the file is empty"},
		{file("text.sh", "echo hello\n", 0o755), "a script needs a first line such as #!/bin/sh"},
		{file("data", "\x00\x01\x02\x03\x04", 0o755), "neither a program nor a script"},
		{file("nothing.sh", "#!\n", 0o755), "names no interpreter"},
		{file("python.py", "#!/usr/bin/python9.9\n", 0o755), "interpreter /usr/bin/python9.9 does not exist"},
		{file("noexec.sh", "#!/etc/passwd\n", 0o755), "interpreter /etc/passwd is not executable"},
		{file("dos.sh", "#!/bin/sh\r\n", 0o755), "Windows line ends"},
		{file("x.exe", "MZ\x90\x00", 0o755), "built for Windows (PE), this is linux/" + runtime.GOARCH},
		{file("mac", "\xcf\xfa\xed\xfe", 0o755), "built for macOS (Mach-O), this is linux/" + runtime.GOARCH},
		{file("short", "\x7fELF", 0o755), "damaged program"},
		{file("foreign", foreignELF(elf.EM_MIPS, elf.ET_EXEC), 0o755), "architecture mips, this machine is " + runtime.GOARCH},
		{file("object", foreignELF(elf.EM_X86_64, elf.ET_REL), 0o755), "not a program but an ELF file of type ET_REL"},
	} {
		t.Run(filepath.Base(test.path), func(t *testing.T) {
			err := Diagnose(test.path)
			if test.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !errors.Is(err, ErrCannotStart) || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q", err, test.want)
			}
		})
	}
}

// foreignELF is the smallest header that is whole.
func foreignELF(machine elf.Machine, kind elf.Type) string {
	h := elf.Header64{Type: uint16(kind), Machine: uint16(machine), Version: uint32(elf.EV_CURRENT), Ehsize: 64}
	copy(h.Ident[:], elf.ELFMAG)
	h.Ident[elf.EI_CLASS] = byte(elf.ELFCLASS64)
	h.Ident[elf.EI_DATA] = byte(elf.ELFDATA2LSB)
	h.Ident[elf.EI_VERSION] = byte(elf.EV_CURRENT)
	data, err := binary.Append(nil, binary.LittleEndian, &h)
	if err != nil {
		return err.Error()
	}
	return string(data)
}

// What Start refuses and what Diagnose finds must be the same.
func TestStartDiagnoses(t *testing.T) {
	s := newSpawner(t)
	path := filepath.Join(t.TempDir(), "foreign")
	if err := os.WriteFile(path, []byte(foreignELF(elf.EM_MIPS, elf.ET_EXEC)), 0o755); err != nil {
		t.Fatal(err)
	}
	_, err := s.Start(t.Context(), Command{Path: path})
	if !errors.Is(err, ErrCannotStart) || err.Error() != Diagnose(path).Error() {
		t.Errorf("got %v", err)
	}
}

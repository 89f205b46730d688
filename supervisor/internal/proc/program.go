package proc

import (
	"bytes"
	"debug/elf"
	"debug/macho"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"unicode/utf8"
)

// program says why a file that is not a script does not run here.
func program(f *os.File, head []byte) string {
	kind := kindOf(head)
	switch {
	case kind == "":
		return "it is neither a program nor a script with #!" + asText(head)
	case kind != native():
		return fmt.Sprintf("it is built for %s, this is %s/%s", kind, runtime.GOOS, runtime.GOARCH)
	case kind == "Linux (ELF)":
		return elfFault(f)
	case kind == "macOS (Mach-O)":
		return machoFault(f)
	}
	return ""
}

func native() string {
	if runtime.GOOS == "darwin" {
		return "macOS (Mach-O)"
	}
	return "Linux (ELF)" // and everybody else but Windows
}

// kindOf knows a file by its first bytes.
func kindOf(head []byte) string {
	switch {
	case bytes.HasPrefix(head, []byte("\x7fELF")):
		return "Linux (ELF)"
	case bytes.HasPrefix(head, []byte("MZ")):
		return "Windows (PE)"
	}
	for _, magic := range []string{"\xfe\xed\xfa\xce", "\xfe\xed\xfa\xcf", "\xce\xfa\xed\xfe", "\xcf\xfa\xed\xfe", "\xca\xfe\xba\xbe"} {
		if string(head) == magic {
			return "macOS (Mach-O)"
		}
	}
	return ""
}

func asText(head []byte) string {
	if utf8.Valid(head) && !bytes.ContainsRune(head, 0) {
		return ": a script needs a first line such as #!/bin/sh"
	}
	return ""
}

// elfFault compares a Linux binary with this machine.
func elfFault(f *os.File) string {
	file, err := elf.NewFile(f)
	if err != nil {
		return fmt.Sprintf("it is a damaged program: %v", err)
	}
	defer func() { _ = file.Close() }() // only read
	if file.Type != elf.ET_EXEC && file.Type != elf.ET_DYN {
		return fmt.Sprintf("it is not a program but an ELF file of type %v", file.Type)
	}
	if want, ok := elfMachine(); ok && file.Machine != want {
		return fmt.Sprintf("it is built for the architecture %s, this machine is %s",
			architecture(file.Machine), runtime.GOARCH)
	}
	if loader := interpreter(file); loader != "" {
		if _, err := os.Stat(loader); err != nil {
			return fmt.Sprintf("its loader %s does not exist: it is linked against another C library; build it with CGO_ENABLED=0 or install that one", loader)
		}
	}
	return ""
}

// interpreter is the dynamic loader a binary asks for.
func interpreter(file *elf.File) string {
	for _, p := range file.Progs {
		if p.Type != elf.PT_INTERP || p.Filesz > 4096 {
			continue
		}
		data, err := io.ReadAll(p.Open())
		if err != nil {
			return ""
		}
		return string(bytes.TrimRight(data, "\x00"))
	}
	return ""
}

func elfMachine() (elf.Machine, bool) {
	m, ok := map[string]elf.Machine{
		"amd64": elf.EM_X86_64, "386": elf.EM_386, "arm64": elf.EM_AARCH64, "arm": elf.EM_ARM,
		"riscv64": elf.EM_RISCV, "ppc64le": elf.EM_PPC64, "s390x": elf.EM_S390,
	}[runtime.GOARCH]
	return m, ok
}

// architecture is the name Go people know.
func architecture(m elf.Machine) string {
	switch m {
	case elf.EM_X86_64:
		return "amd64"
	case elf.EM_AARCH64:
		return "arm64"
	}
	return strings.ToLower(strings.TrimPrefix(m.String(), "EM_"))
}

// machoFault says that a macOS binary is damaged; macOS itself runs foreign
// architectures where it can.
func machoFault(f *os.File) string {
	if _, err := macho.NewFile(f); err != nil {
		if _, fat := macho.NewFatFile(f); fat != nil {
			return fmt.Sprintf("it is a damaged program: %v", err)
		}
	}
	return ""
}

package proc

import "debug/elf"

// initCode is position-independent. It is entered with argc, argv[0], argv[1], ... on the stack:
// argv[0] is its name, argv[1] the number before that of the next process, in eight characters.
// It closes descriptor 3 when it is up, and ends unless it reads a byte from descriptor 4: until
// then it may have missed the end of its parent.
func initCode() (string, elf.Machine) {
	return "" +
		"\x48\x8b\x5c\x24\x08" + // mov rbx, [rsp+8]          argv[0]
		"\x4c\x8b\x64\x24\x10" + // mov r12, [rsp+16]         argv[1]
		"\x6a\x00" + // push 0                    sa_mask
		"\x6a\x00" + // push 0                    sa_restorer
		"\x6a\x00" + // push 0                    sa_flags
		"\x6a\x01" + // push 1                    sa_handler = SIG_IGN
		"\xbf\x11\x00\x00\x00" + // mov edi, 17               SIGCHLD
		"\x48\x89\xe6" + // mov rsi, rsp
		"\x31\xd2" + // xor edx, edx
		"\x41\xba\x08\x00\x00\x00" + // mov r10d, 8               size of the mask
		"\xb8\x0d\x00\x00\x00" + // mov eax, 13               rt_sigaction
		"\x0f\x05" + // syscall
		"\xbf\x0f\x00\x00\x00" + // mov edi, 15               PR_SET_NAME
		"\x48\x89\xde" + // mov rsi, rbx
		"\xb8\x9d\x00\x00\x00" + // mov eax, 157              prctl
		"\x0f\x05" + // syscall
		"\x48\x8d\x3d\x58\x00\x00\x00" + // lea rdi, [rip+path]
		"\xbe\x01\x00\x00\x00" + // mov esi, 1                O_WRONLY
		"\xb8\x02\x00\x00\x00" + // mov eax, 2                open
		"\x0f\x05" + // syscall
		"\x89\xc7" + // mov edi, eax              an error is no descriptor, all the same
		"\x4c\x89\xe6" + // mov rsi, r12
		"\xba\x08\x00\x00\x00" + // mov edx, 8
		"\xb8\x01\x00\x00\x00" + // mov eax, 1                write
		"\x0f\x05" + // syscall
		"\xb8\x03\x00\x00\x00" + // mov eax, 3                close
		"\x0f\x05" + // syscall
		"\xbf\x03\x00\x00\x00" + // mov edi, 3                up
		"\xb8\x03\x00\x00\x00" + // mov eax, 3                close
		"\x0f\x05" + // syscall
		"\xbf\x04\x00\x00\x00" + // mov edi, 4                stay
		"\x48\x89\xe6" + // mov rsi, rsp
		"\xba\x01\x00\x00\x00" + // mov edx, 1
		"\x31\xc0" + // xor eax, eax              read
		"\x0f\x05" + // syscall
		"\x83\xf8\x01" + // cmp eax, 1
		"\x74\x09" + // je stay                   told to stay
		"\x31\xff" + // xor edi, edi
		"\xb8\x3c\x00\x00\x00" + // mov eax, 60               exit
		"\x0f\x05" + // syscall
		"\xb8\x22\x00\x00\x00" + // mov eax, 34               pause
		"\x0f\x05" + // syscall
		"\xeb\xf7" + // jmp stay                  back to pause
		"/proc/sys/kernel/ns_last_pid\x00", elf.EM_X86_64
}

package proc

import "debug/elf"

// initCode is the same program as for amd64.
func initCode() (string, elf.Machine) {
	return "" +
		"\xf3\x07\x40\xf9" + // ldr x19, [sp, #8]         argv[0]
		"\xf4\x0b\x40\xf9" + // ldr x20, [sp, #16]        argv[1]
		"\x29\x00\x80\xd2" + // mov x9, #1                SIG_IGN
		"\xe9\x7f\xbe\xa9" + // stp x9, xzr, [sp, #-32]!  sa_handler, sa_flags
		"\xff\x7f\x01\xa9" + // stp xzr, xzr, [sp, #16]   sa_restorer, sa_mask
		"\x20\x02\x80\xd2" + // mov x0, #17               SIGCHLD
		"\xe1\x03\x00\x91" + // mov x1, sp
		"\x02\x00\x80\xd2" + // mov x2, #0
		"\x03\x01\x80\xd2" + // mov x3, #8                size of the mask
		"\xc8\x10\x80\xd2" + // mov x8, #134              rt_sigaction
		"\x01\x00\x00\xd4" + // svc #0
		"\xe0\x01\x80\xd2" + // mov x0, #15               PR_SET_NAME
		"\xe1\x03\x13\xaa" + // mov x1, x19
		"\xe8\x14\x80\xd2" + // mov x8, #167              prctl
		"\x01\x00\x00\xd4" + // svc #0
		"\x60\x0c\x80\x92" + // mov x0, #-100             AT_FDCWD
		"\x21\x04\x00\x10" + // adr x1, path
		"\x22\x00\x80\xd2" + // mov x2, #1                O_WRONLY
		"\x03\x00\x80\xd2" + // mov x3, #0
		"\x08\x07\x80\xd2" + // mov x8, #56               openat
		"\x01\x00\x00\xd4" + // svc #0
		"\xf5\x03\x00\xaa" + // mov x21, x0               an error is no descriptor, all the same
		"\xe1\x03\x14\xaa" + // mov x1, x20
		"\x02\x01\x80\xd2" + // mov x2, #8
		"\x08\x08\x80\xd2" + // mov x8, #64               write
		"\x01\x00\x00\xd4" + // svc #0
		"\xe0\x03\x15\xaa" + // mov x0, x21
		"\x28\x07\x80\xd2" + // mov x8, #57               close
		"\x01\x00\x00\xd4" + // svc #0
		"\x60\x00\x80\xd2" + // mov x0, #3                up
		"\x28\x07\x80\xd2" + // mov x8, #57               close
		"\x01\x00\x00\xd4" + // svc #0
		"\x80\x00\x80\xd2" + // mov x0, #4                stay
		"\xe1\x03\x00\x91" + // mov x1, sp
		"\x22\x00\x80\xd2" + // mov x2, #1
		"\xe8\x07\x80\xd2" + // mov x8, #63               read
		"\x01\x00\x00\xd4" + // svc #0
		"\x1f\x04\x00\xf1" + // cmp x0, #1
		"\x80\x00\x00\x54" + // b.eq stay                 told to stay
		"\x00\x00\x80\xd2" + // mov x0, #0
		"\xa8\x0b\x80\xd2" + // mov x8, #93               exit
		"\x01\x00\x00\xd4" + // svc #0
		"\x00\x00\x80\xd2" + // mov x0, #0
		"\x01\x00\x80\xd2" + // mov x1, #0
		"\x02\x00\x80\xd2" + // mov x2, #0
		"\x03\x00\x80\xd2" + // mov x3, #0
		"\x28\x09\x80\xd2" + // mov x8, #73               ppoll, without an end
		"\x01\x00\x00\xd4" + // svc #0
		"\xfa\xff\xff\x17" + // b stay                    back to ppoll
		"/proc/sys/kernel/ns_last_pid\x00", elf.EM_AARCH64
}

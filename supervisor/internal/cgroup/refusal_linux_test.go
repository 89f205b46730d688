package cgroup

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Who may not have cgroups is told why, and what to do.
func TestRefusal(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("becoming somebody else needs root")
	}
	if err := Available(); err != nil {
		t.Skip(err)
	}
	for name, test := range map[string]struct {
		part string
		attr syscall.SysProcAttr
		want string
	}{
		"ordinary user": {"available", syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65534, Gid: 65534}}, "this user may not make cgroups"},
		"read-only":     {"read-only", syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS}, "read-only"},
	} {
		t.Run(name, func(t *testing.T) {
			cmd := exec.Command("/proc/self/exe")
			cmd.Env = []string{helperVar + "=" + test.part}
			cmd.SysProcAttr = &test.attr
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Fatalf("%s: %v", out, err)
			}
			said := strings.TrimSpace(string(out))
			if !strings.Contains(said, test.want) || strings.Contains(said, "\n") || strings.Count(said, test.want) != 1 {
				t.Errorf("got %q", said)
			}
		})
	}
}

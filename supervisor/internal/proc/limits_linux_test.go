package proc

import (
	"fmt"
	"os"
	"strings"
	"testing"
)

// limited starts a process with limits and returns what it sees of them.
func limited(t *testing.T, l Limits) string {
	t.Helper()
	s := newSpawner(t)
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := part("limits")
	c.Extra, c.Limits = []*os.File{r}, l
	p, out := launchReading(t, s, c)
	_ = r.Close()
	_ = w.Close() // look now
	text := line(t, out)
	await(t, p)
	return text
}

func TestLimits(t *testing.T) {
	own := limited(t, Limits{})
	var nofile, hard uint64
	var nice, oom, strict int
	if _, err := fmt.Sscan(own, &nofile, &hard, &nice, &oom, &strict); err != nil {
		t.Fatalf("%q: %v", own, err)
	}
	got := limited(t, Limits{
		Rlimits:     map[string]uint64{"nofile": 123, "core": 0},
		Nice:        3,
		OOMScoreAdj: 700,
		NoNewPrivs:  true,
	})
	want := fmt.Sprintf("123 123 %d 700 1", nice+3)
	if got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	// no_new_privs cannot be taken back: it must not have spread to the other thread.
	if again := limited(t, Limits{}); again != own {
		t.Errorf("without limits: %q, before %q", again, own)
	}
}

func TestStrictThreadIsApart(t *testing.T) {
	s := newSpawner(t)
	for _, want := range []bool{true, false, true} {
		c := Command{Path: "/bin/sh", Args: []string{"-c", "grep NoNewPrivs /proc/self/status"}, Limits: Limits{NoNewPrivs: want}}
		_, out := launchReading(t, s, c)
		if got := line(t, out); strings.HasSuffix(got, "1") != want {
			t.Errorf("no_new_privs %v: %s", want, got)
		}
	}
}

func TestUser(t *testing.T) {
	if os.Geteuid() != 0 {
		err := Limits{User: "root"}.Validate()
		if err == nil || !strings.Contains(err.Error(), "needs root") {
			t.Errorf("got %v", err)
		}
		t.Skip("running workers as somebody else needs root")
	}
	for _, test := range []struct{ user, group, want string }{
		{"54321", "65533", "54321 65533 [65533]"},
		{"nobody", "", "65534 65534 [65534]"},
		{"", "65533", "0 65533 "},
	} {
		s := newSpawner(t)
		c := Command{Path: "/bin/sh", Args: []string{"-c", "echo $(id -u) $(id -g) [$(id -G)]"}}
		c.Limits = Limits{User: test.user, Group: test.group}
		_, out := launchReading(t, s, c)
		if got := line(t, out); !strings.HasPrefix(got, test.want) {
			t.Errorf("user %q, group %q: got %q, want %q", test.user, test.group, got, test.want)
		}
	}
}

// We may have no groups to be kept by mistake, so the kernel is not asked.
func TestUserDropsTheSupervisorsGroups(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("running workers as somebody else needs root")
	}
	c, err := Limits{User: "54321", Group: "65533"}.credential()
	if err != nil || c.NoSetGroups || len(c.Groups) != 0 {
		t.Errorf("got %+v, %v", c, err)
	}
	if c, err = (Limits{Group: "65533"}).credential(); err != nil || !c.NoSetGroups {
		t.Errorf("the same user with another group: %+v, %v", c, err)
	}
}

func TestValidate(t *testing.T) {
	for _, test := range []struct {
		limits Limits
		want   string
	}{
		{Limits{}, ""},
		{Limits{Rlimits: map[string]uint64{"nofile": 1, "core": 0, "cpu": 1, "as": 1, "nproc": 1, "fsize": 1}, Nice: 19, OOMScoreAdj: -1000}, ""},
		{Limits{Rlimits: map[string]uint64{"files": 1}}, "use one of: as, core, cpu, fsize, nofile, nproc"},
		{Limits{Nice: 20}, "outside -20 to 19"},
		{Limits{OOMScoreAdj: 1001}, "outside -1000 to 1000"},
		{Limits{User: "no-such-user"}, `no user "no-such-user"`},
		{Limits{Group: "no-such-group"}, `no group "no-such-group"`},
		{Limits{User: "4000000000"}, "give its group too"},
		{Limits{User: "99999999999"}, "there is no user"},
	} {
		err := test.limits.Validate()
		if (err == nil) != (test.want == "") || err != nil && !strings.Contains(err.Error(), test.want) {
			t.Errorf("%+v: got %v, want %q", test.limits, err, test.want)
		}
	}
}

// A limit that cannot be set keeps the process from running on without it.
func TestLimitThatCannotBeSet(t *testing.T) {
	s := newSpawner(t)
	// More open files than the kernel allows anybody.
	c := Command{Path: "/bin/sleep", Args: []string{"1000"}, Limits: Limits{Rlimits: map[string]uint64{"nofile": 1 << 62}}}
	_, err := s.Start(t.Context(), c)
	if err == nil || !strings.Contains(err.Error(), "rlimit nofile") {
		t.Errorf("got %v", err)
	}
	if len(s.live) != 0 {
		t.Error("the process lives on")
	}
}

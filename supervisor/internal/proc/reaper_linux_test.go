package proc

import (
	"os"
	"os/exec"
	"syscall"
	"testing"
	"time"
)

func newReaper(t testing.TB, s *Spawner) *Reaper {
	t.Helper()
	r, err := EnableReaper(s)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inTree marks a part's process and whatever it starts.
func inTree(tree string, name string, args ...string) Command {
	c := part(name, args...)
	c.Env = append(c.Env, TreeVar+"="+tree)
	return c
}

// noChild fails while pid is still a child of ours, dead or alive.
func noChild(t testing.TB, pid int) {
	t.Helper()
	if (child{birth: birth{pid: pid}}).exists() {
		t.Errorf("pid %d is still there", pid)
	}
}

func TestSweepTakesAGrandchildInASessionOfItsOwn(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	tree := r.Tree("w1")
	p, out := launchReading(t, s, inTree(tree, "daemon", "deaf"))
	orphan := pids(t, out)[0]
	await(t, p)
	if n := r.Sweep(r.Tree("w10")); n != 0 || !(child{birth: birth{pid: orphan}}).exists() {
		t.Fatalf("sweeping another tree killed %d", n)
	}
	if n := r.Sweep(tree); n != 1 {
		t.Errorf("killed %d, want the one orphan", n)
	}
	noChild(t, orphan)
}

// The orphan's own children become ours when it dies, whatever group they are in.
func TestSweepFollowsTheWholeTree(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	tree := r.Tree("w1")
	p, out := launchReading(t, s, inTree(tree, "daemon", "parent", "parent", "deaf"))
	found := pids(t, out)
	if len(found) != 3 {
		t.Fatalf("want three generations, got %v", found)
	}
	await(t, p)
	r.Sweep(tree)
	for _, pid := range found {
		noChild(t, pid)
	}
}

func TestSweepTakesAStoppedOrphan(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	p, out := launchReading(t, s, inTree(r.Tree("w1"), "daemon", "sleep"))
	orphan := pids(t, out)[0]
	await(t, p)
	if err := syscall.Kill(orphan, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	if n := r.Sweep(r.Tree("w1")); n != 1 {
		t.Errorf("killed %d", n)
	}
	noChild(t, orphan)
}

// The group kill leaves a zombie behind that has lost its environment: it is
// known by its group.
func TestSweepReapsWhatTheGroupKillLeft(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	p, out := launchReading(t, s, inTree(r.Tree("w1"), "parent", "deaf"))
	orphan := pids(t, out)[0]
	dead := watchDeath(t, orphan)
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
	await(t, p)
	dead()
	if !(child{birth: birth{pid: orphan}}).exists() {
		t.Fatal("the orphan did not become ours")
	}
	if n := r.Sweep(r.Tree("w1")); n != 0 {
		t.Errorf("killed %d that were dead", n)
	}
	noChild(t, orphan)
	if len(s.ended) != 0 {
		t.Errorf("%d groups are remembered after their sweep", len(s.ended))
	}
}

func TestSweepLeavesOthersAlone(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	tree := r.Tree("w1")
	live, out := launchReading(t, s, inTree(tree, "deaf"))
	line(t, out)
	// Somebody else's child, which even carries our mark's name, and a dead one
	// whose owner has not asked for it yet.
	other := exec.Command("/bin/sleep", "1000")
	other.Env = []string{TreeVar + "=elsewhere"}
	dead := exec.Command("/bin/true")
	dead.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	for _, c := range []*exec.Cmd{other, dead} {
		if err := c.Start(); err != nil {
			t.Fatal(err)
		}
	}
	watchDeath(t, dead.Process.Pid)()
	if n := r.Sweep(tree) + r.SweepAll(); n != 0 {
		t.Errorf("killed %d", n)
	}
	if err := dead.Wait(); err != nil {
		t.Errorf("the owner of a dead child got %v", err)
	}
	if err := other.Process.Kill(); err != nil {
		t.Error(err)
	}
	_ = other.Wait() // killed
	if err := live.Kill(); err != nil {
		t.Errorf("the live worker: %v", err)
	}
	await(t, live)
}

// A zombie that says nothing about its origin is reaped when nobody has asked
// for it for long.
func TestSweepReapsOldStrays(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	p, out := launchReading(t, s, part("daemon", "sleep")) // no mark
	orphan := pids(t, out)[0]
	await(t, p)
	dead := watchDeath(t, orphan)
	if err := syscall.Kill(orphan, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	dead()
	r.SweepAll()
	noted := false
	for b := range r.strays {
		noted = noted || b.pid == orphan
		r.strays[b] = time.Now().Add(-strayAge)
	}
	if !noted || !(child{birth: birth{pid: orphan}}).exists() {
		t.Fatalf("the strays noted and not reaped are %v, without %d", r.strays, orphan)
	}
	r.SweepAll()
	noChild(t, orphan)
}

func TestSweepAll(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	var orphans []int
	for _, name := range []string{"a", "b", "c"} {
		p, out := launchReading(t, s, inTree(r.Tree(name), "daemon", "deaf"))
		orphans = append(orphans, pids(t, out)[0])
		await(t, p)
	}
	if n := r.SweepAll(); n != 3 {
		t.Errorf("killed %d, want 3", n)
	}
	for _, pid := range orphans {
		noChild(t, pid)
	}
}

func TestTrees(t *testing.T) {
	t.Setenv(TreeVar, "outer.w7")
	r := newReaper(t, newSpawner(t))
	tree := r.Tree("w1")
	if !within(tree, "outer.w7") || within(tree, "outer.w") || !within(tree, tree) || within("outer.w7", tree) {
		t.Errorf("tree %s is not inside outer.w7 alone", tree)
	}
	if got := treeOf([]string{TreeVar + "=a", "X=1", TreeVar + "=b"}); got != "b" {
		t.Errorf("got %q", got)
	}
	var none *Reaper
	if none.Tree("w1") != "w1" || none.Sweep("w1") != 0 || none.SweepAll() != 0 {
		t.Error("a nil Reaper does something")
	}
	if r.Sweep("") != 0 {
		t.Error("no tree is every tree")
	}
}

func TestSweepsDuringStarts(t *testing.T) {
	s := newSpawner(t)
	r := newReaper(t, s)
	stop := make(chan struct{})
	swept := make(chan struct{})
	go func() {
		defer close(swept)
		for {
			select {
			case <-stop:
				return
			default:
				r.SweepAll()
			}
		}
	}()
	for range 50 {
		p := launch(t, s, Command{Path: "/bin/true", Env: []string{TreeVar + "=" + r.Tree("w")}})
		if e := await(t, p); e.Code != 0 {
			t.Errorf("a sweep hit a worker: %v", e)
		}
	}
	close(stop)
	<-swept
}

func BenchmarkSweepNothing(b *testing.B) {
	s := newSpawner(b)
	r := newReaper(b, s)
	tree := r.Tree("w")
	b.ReportMetric(float64(entries(b, "/proc")), "procfs-entries")
	for b.Loop() {
		r.Sweep(tree)
	}
}

func TestChildrenFromTheKernelsLists(t *testing.T) {
	root := t.TempDir()
	write := func(path, text string) {
		t.Helper()
		path = root + "/" + path
		if err := os.MkdirAll(path[:len(path)-len("/children")], 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("10/task/10/children", "20 21 ")
	write("10/task/11/children", "22\n")
	got := candidates(root, 10)
	if len(got) != 3 || got[0] != 20 || got[1] != 21 || got[2] != 22 {
		t.Errorf("got %v", got)
	}
}

func FuzzParseStat(f *testing.F) {
	own, err := os.ReadFile("/proc/self/stat")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(own)
	f.Add([]byte("1 (a) b) Z 2 3 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0"))
	f.Add([]byte(") R"))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := parseStat(data)
		if err != nil && s.state == 'Z' && s.start != 0 {
			t.Errorf("a malformed status gave a complete answer: %+v", s)
		}
	})
}

func TestParseStat(t *testing.T) {
	s, err := parseStat([]byte("1 (a) b) Z 2 3 3 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 77 0\n"))
	if want := (stat{state: 'Z', ppid: 2, pgrp: 3, start: 77}); err != nil || s != want {
		t.Errorf("got %+v, %v", s, err)
	}
	own, err := readStat("/proc", os.Getpid())
	if err != nil || own.ppid != os.Getppid() || own.pgrp != syscall.Getpgrp() {
		t.Errorf("got %+v, %v", own, err)
	}
}

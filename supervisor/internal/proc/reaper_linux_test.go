package proc

import (
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
	if isChild(pid) {
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
	if n := r.Sweep(r.Tree("w10")); n != 0 || !isChild(orphan) {
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
	if !isChild(orphan) {
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
	if !noted || !isChild(orphan) {
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

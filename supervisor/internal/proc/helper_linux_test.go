package proc

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const helperVar = "PROC_HELPER"

// play runs in a process started by a test. Whatever goes wrong ends up on
// stdout, where the test reads it in place of what it expected.
func play(part string, args []string) {
	parts := map[string]func([]string){
		"exit":       func(a []string) { os.Exit(decimal(a[0])) },
		"sleep":      func([]string) { fmt.Println("ready"); forever() },
		"deaf":       func([]string) { signal.Ignore(syscall.SIGTERM); fmt.Println("ready"); forever() },
		"parent":     func(a []string) { startOther(&syscall.SysProcAttr{}, a); forever() },
		"starter":    func([]string) { startForever() },
		"crowd":      func([]string) { crowd() },
		"namespaced": func([]string) { superviseNamespace() },
		"suicide":    func([]string) { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); fmt.Println("survived") },
		"daemon":     func(a []string) { startOther(&syscall.SysProcAttr{Setsid: true}, a) },
		"limits":     func([]string) { printLimits() },
		"eat":        func(a []string) { eat(decimal(a[0])) },
		"descriptor": func([]string) { printDescriptors() },
		"supervisor": func([]string) { supervise() },
	}
	f, ok := parts[part]
	if !ok {
		fmt.Println("unknown part", part)
		os.Exit(99)
	}
	f(args)
}

func decimal(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil {
		fmt.Println(err)
		os.Exit(99)
	}
	return n
}

// forever waits for a signal that kills.
func forever() {
	for {
		_ = unix.Pause()
	}
}

// startOther starts this binary in another part and prints its pid, once it has
// said that it is ready.
func startOther(sys *syscall.SysProcAttr, args []string) {
	cmd := exec.Command("/proc/self/exe", args[1:]...)
	cmd.Env = append(os.Environ(), helperVar+"="+args[0])
	cmd.SysProcAttr = sys
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	buf := make([]byte, 64)
	n, err := out.Read(buf)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(strings.TrimSpace(strings.Replace(string(buf[:n]), "ready", "", 1)), cmd.Process.Pid)
}

// printLimits prints what it sees once it is told that they are set.
func printLimits() {
	_, _ = os.NewFile(3, "go").Read(make([]byte, 1))
	var nofile unix.Rlimit
	_ = unix.Getrlimit(unix.RLIMIT_NOFILE, &nofile)
	nice, _ := unix.Getpriority(unix.PRIO_PROCESS, 0)
	oom, _ := os.ReadFile("/proc/self/oom_score_adj")
	strict, _ := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	fmt.Println(nofile.Cur, nofile.Max, 20-nice, strings.TrimSpace(string(oom)), strict)
}

// eat takes memory and keeps it until it is told to go.
func eat(mib int) {
	data := make([]byte, mib<<20)
	for i := 0; i < len(data); i += 4096 {
		data[i] = 1
	}
	fmt.Println("ready")
	_, _ = os.NewFile(3, "go").Read(make([]byte, 1))
	runtime.KeepAlive(data)
}

func printDescriptors() {
	n, err := os.Stdin.Read(make([]byte, 1))
	fmt.Println(n, err)
	_, _ = os.Stderr.WriteString("to stderr\n")
	_, _ = os.NewFile(3, "three").WriteString("to three\n")
}

// supervise starts a child from a goroutine whose own thread ends at once, and is
// then killed by the test.
func supervise() {
	s := NewSpawner()
	pid := make(chan int)
	go func() {
		runtime.LockOSThread() // without unlocking: the thread ends with us
		p, err := s.Start(context.Background(), Command{Path: "/proc/self/exe", Env: []string{helperVar + "=sleep"}})
		if err != nil {
			fmt.Println(err)
			os.Exit(99)
		}
		pid <- p.PID()
	}()
	p := <-pid
	for range 20 { // and churn through some more threads
		gone := make(chan struct{})
		go func() {
			defer close(gone)
			runtime.LockOSThread()
		}()
		<-gone
	}
	fmt.Println(p)
	forever()
}

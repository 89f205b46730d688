package proc

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
)

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

// A process may call itself anything.
func FuzzParseStat(f *testing.F) {
	f.Add("sh", byte('S'), 1, 2, uint64(77))
	f.Add("a) Z 7 7 (b", byte('Z'), 0, -1, uint64(0))
	f.Fuzz(func(t *testing.T, name string, state byte, ppid, pgrp int, start uint64) {
		if state <= ' ' || state > '~' || state == ')' {
			state = 'R'
		}
		line := fmt.Sprintf("42 (%s) %c %d %d %s %d 0 0\n", name, state, ppid, pgrp, strings.Repeat("0 ", 16), start)
		got, err := parseStat([]byte(line))
		if want := (stat{state: state, ppid: ppid, pgrp: pgrp, start: start}); err != nil || got != want {
			t.Errorf("%q: got %+v, %v", line, got, err)
		}
	})
}

func TestParseStatMalformed(t *testing.T) {
	for _, text := range []string{"", "1 (a) S", "1 (a) SS 1 1" + strings.Repeat(" 0", 20), "1 (a) S x 1" + strings.Repeat(" 0", 20),
		"1 (a) S 1 x" + strings.Repeat(" 0", 20), "1 (a) S 1 1" + strings.Repeat(" x", 20)} {
		if s, err := parseStat([]byte(text)); err == nil {
			t.Errorf("%q: got %+v", text, s)
		}
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
	slices.Sort(got)
	if !slices.Equal(got, []int{20, 21, 22}) {
		t.Errorf("got %v", got)
	}
}

package cli

import (
	"strconv"
	"testing"
)

func TestSeen(t *testing.T) {
	s := newSeen()
	if s.explicit("a", 1) {
		t.Error("the first a is called a duplicate")
	}
	s.number(1, true)
	if !s.explicit("a", 2) {
		t.Error("the second a is not found")
	}
}

func TestSeenAcrossGenerations(t *testing.T) {
	s := newSeen()
	const ids = 5 * window / 2
	for i := range ids {
		if s.explicit("id"+strconv.Itoa(i), i+1) {
			t.Fatalf("id %d is called a duplicate", i)
		}
	}
	for _, i := range []int{ids - window, ids - window/2, ids - 1} {
		if !s.explicit("id"+strconv.Itoa(i), ids+1) {
			t.Errorf("id %d is forgotten, it is among the last %d", i, window)
		}
	}
	if n := s.young.n + s.old.n; n > 2*window+3 {
		t.Errorf("%d ids are held", n)
	}
}

func TestSeenNumberedLines(t *testing.T) {
	s := newSeen()
	s.number(1, false) // line-1 by number
	s.number(2, true)  // blank
	if s.explicit("line-4", 3) {
		t.Error("line-4 is free at line 3")
	}
	s.number(3, true)
	if !s.automatic("line-4") {
		t.Error("line 3 took line-4, line 4 may not have it")
	}
	s.number(4, false)
	if !s.explicit("line-1", 5) {
		t.Error("line 1 has the id line-1")
	}
	if s.explicit("line-2", 6) {
		t.Error("line 2 was blank, line-2 is free")
	}
	if s.explicit("line-01", 7) || s.explicit("line-", 8) || s.explicit("line--1", 9) {
		t.Error("what only looks like a line's id is free")
	}
}

func TestSeenNumberedLinesWrapAround(t *testing.T) {
	s := newSeen()
	s.number(1, false)
	for n := 2; n <= window+1; n++ {
		s.number(n, n <= window) // line window+1 has the bit that was line 1's
	}
	if s.explicit("line-1", window+2) {
		t.Error("line 1 is beyond the window and its bit has another owner")
	}
}

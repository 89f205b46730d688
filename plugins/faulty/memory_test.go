package main

import (
	"context"
	"errors"
	"syscall"
	"testing"
	"time"
)

// release gives everything back.
func (h *hoard) release() {
	for _, b := range h.pages {
		_ = syscall.Munmap(b)
	}
	h.pages = nil
}

func (h *hoard) size() (n int) {
	for _, b := range h.pages {
		n += len(b)
	}
	return n
}

func TestLeakKeepsWhatItTookAndNoMoreThanAsked(t *testing.T) {
	h := &hoard{}
	defer h.release()
	begun := time.Now()
	got, err := h.leak(t.Context(), leakParams{MiBPerS: 100, HoldMS: 200})
	most := int(time.Since(begun).Seconds() * float64(100<<20))
	if err != nil || got.MiB != h.size()>>20 || h.size() == 0 || h.size() > most {
		t.Errorf("leak: %+v, %v; holds %d bytes, at most %d", got, err, h.size(), most)
	}
	for _, b := range h.pages {
		for i := 0; i < len(b); i += 4096 {
			if b[i] == 0 {
				t.Fatal("a page was not touched")
			}
		}
	}
}

func TestLeakEndsWithItsContext(t *testing.T) {
	h := &hoard{}
	defer h.release()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := h.leak(ctx, leakParams{MiBPerS: 1}); !errors.Is(err, context.Canceled) {
		t.Errorf("leak: %v", err)
	}
}

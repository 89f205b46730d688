package cli

import (
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"testing/synctest"
	"time"
)

func TestBlocksPassTheStreamOn(t *testing.T) {
	text := strings.Repeat("0123456789", 100_000)
	b := newBlocks(iotest.HalfReader(strings.NewReader(text)))
	var got strings.Builder
	for {
		block, err := b.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		got.Write(block)
	}
	if got.String() != text {
		t.Errorf("%d bytes came out of %d", got.Len(), len(text))
	}
}

func TestBlocksPassTheErrorOn(t *testing.T) {
	broken := errors.New("broken")
	b := newBlocks(io.MultiReader(strings.NewReader("a"), iotest.ErrReader(broken)))
	if block, err := b.next(); string(block) != "a" || err != nil {
		t.Errorf("first block %q, %v", block, err)
	}
	if _, err := b.next(); !errors.Is(err, broken) {
		t.Errorf("error %v", err)
	}
}

func TestBlocksHaltWhileTheProducerIsSilent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		b := newBlocks(r)
		time.AfterFunc(time.Minute, b.halt)
		start := time.Now()
		if _, err := b.next(); err != errHalted || time.Since(start) != time.Minute {
			t.Errorf("%v after %v", err, time.Since(start))
		}
		b.halt() // twice is once
	})
}

func TestBlocksAfterAnInterrupt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, w := io.Pipe()
		defer w.Close()
		b := newBlocks(r)
		defer b.halt()
		b.interrupt()
		go func() {
			time.Sleep(drainPause / 2) // a producer that is a little slow
			w.Write([]byte("late"))
		}()
		if block, err := b.next(); string(block) != "late" || err != nil {
			t.Errorf("block %q, %v", block, err)
		}
		start := time.Now()
		if _, err := b.next(); err != errHalted || time.Since(start) != drainPause {
			t.Errorf("%v after %v", err, time.Since(start))
		}
	})
}

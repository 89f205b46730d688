package main

import (
	"bufio"
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"flag"
	"fmt"
	"hash/crc32"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The hostile files are data, but the bomb has a recipe: go test -run Bomb -update.
var update = flag.Bool("update", false, "write the files in testdata/hostile")

const (
	// bombSide: its square exceeds 4 GiB, and a decoder takes a byte for each pixel.
	bombSide = 65_600
	// bombSize bounds the file: zlib packs a thousand zeros into one byte.
	bombSize = 600 << 10
	// decodeKey makes the test binary decode a picture and do nothing else.
	decodeKey = "THUMBNAIL_TEST_DECODE"
)

var bomb = filepath.Join(hostile, "bomb.png")

// writeBomb writes a black picture, one bit a pixel, every row of which is really there.
func writeBomb(w io.Writer) error {
	var rows bytes.Buffer
	z, err := zlib.NewWriterLevel(&rows, zlib.BestCompression)
	if err != nil {
		return err
	}
	row := make([]byte, 1+bombSide/8) // filter "none", then the pixels
	for range bombSide {
		if _, err := z.Write(row); err != nil {
			return err
		}
	}
	if err := z.Close(); err != nil {
		return err
	}
	header := binary.BigEndian.AppendUint32(nil, bombSide)
	header = binary.BigEndian.AppendUint32(header, bombSide)
	header = append(header, 1, 0, 0, 0, 0) // depth 1, gray, the only methods, not interlaced
	_, err = io.WriteString(w, "\x89PNG\r\n\x1a\n")
	for _, c := range []struct {
		name string
		body []byte
	}{{"IHDR", header}, {"IDAT", rows.Bytes()}, {"IEND", nil}} {
		if err == nil {
			err = writeChunk(w, c.name, c.body)
		}
	}
	return err
}

func writeChunk(w io.Writer, name string, body []byte) error {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(body)))
	chunk = append(append(chunk, name...), body...)
	chunk = binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
	_, err := w.Write(chunk)
	return err
}

func TestBombIsSmallAndClaimsMoreThan4GiB(t *testing.T) {
	if *update {
		var buf bytes.Buffer
		if err := writeBomb(&buf); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(bomb, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile(bomb)
	if err != nil {
		t.Fatal(err)
	}
	config, err := png.DecodeConfig(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	if pixels := config.Width * config.Height; pixels <= 4<<30 || len(data) > bombSize {
		t.Errorf("%d x %d = %d pixels in %d bytes", config.Width, config.Height, pixels, len(data))
	}
}

// Decoding it must really take memory, bit by bit: a process that does so is
// watched until it has far more than it started with.
func TestBombGrowsWhileItIsDecoded(t *testing.T) {
	if _, err := os.Stat("/proc/self/status"); err != nil {
		t.Skip("the memory of a process is read from /proc")
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(os.Environ(), decodeKey+"="+bomb)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	const enough = 128 << 10 // KiB
	small := false           // it did not take everything at once
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		rss, err := residentKiB(cmd.Process.Pid)
		if err != nil {
			t.Fatalf("the decoder ended early: %v", err)
		}
		if small = small || (rss > 0 && rss < enough/2); rss > enough {
			if !small {
				t.Error("it was never seen small")
			}
			return
		}
	}
	t.Error("it did not grow")
}

// residentKiB reads the current memory of a process.
func residentKiB(pid int) (kib int, err error) {
	f, err := os.Open(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if value, ok := strings.CutPrefix(lines.Text(), "VmRSS:"); ok {
			_, err = fmt.Sscan(value, &kib)
			return kib, err
		}
	}
	return 0, io.ErrUnexpectedEOF // a zombie has none
}

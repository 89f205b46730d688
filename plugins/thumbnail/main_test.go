package main

import (
	"context"
	"encoding/json"
	"errors"
	"image"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if path := os.Getenv(decodeKey); path != "" {
		_, _, _ = load(path) // until it is killed
		return
	}
	goleak.VerifyTestMain(m)
}

const hostile = "../../testdata/hostile"

func thumbnail(t *testing.T, payload any) (answer, error) {
	t.Helper()
	body, err := json.Marshal(payload)
	if err != nil {
		t.Fatal(err)
	}
	out, err := handle(t.Context(), body)
	if err != nil {
		return answer{}, err
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("answer %q: %v", out, err)
	}
	return a, nil
}

// picture is a PNG file of 150 x 103 pixels.
func picture(t *testing.T) string {
	t.Helper()
	return filepath.Join(goTool(t, "env", "GOROOT"), "src/image/testdata/video-001.png")
}

// cutOff is the beginning of a picture.
func cutOff(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(picture(t))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "begun.png")
	if err := os.WriteFile(path, data[:50], 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFailuresSayWhatIsWrong(t *testing.T) {
	dir := t.TempDir()
	dst := filepath.Join(dir, "a.png")
	for want, payload := range map[string]any{
		"does not exist":        request{Src: "no-such.png", Dst: dst},
		"is empty":              request{Src: hostile + "/empty.png", Dst: dst},
		"is not a picture":      request{Src: hostile + "/text.png", Dst: dst},
		"is not a file":         request{Src: dir, Dst: dst},
		"is cut off":            request{Src: cutOff(t), Dst: dst},
		"must end in .png":      request{Src: "a.png", Dst: "a.webp"},
		"is negative":           request{Src: "a.png", Width: -1},
		"src is empty":          "",
		"must be the path":      7,
		`unknown field "sorce"`: map[string]string{"sorce": "a"},
		"no directory":          request{Src: picture(t), Dst: hostile + "/text.png/a.png"},
	} {
		if a, err := thumbnail(t, payload); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: got %+v, %v; want %q", payload, a, err, want)
		}
	}
	expectNoTemporary(t, dir)
}

func TestNothingIsLeftWhenTheTargetCannotBeReplaced(t *testing.T) {
	dir := t.TempDir()
	dst := filepath.Join(dir, "a.png")
	if err := os.MkdirAll(filepath.Join(dst, "taken"), 0o755); err != nil {
		t.Fatal(err)
	}
	if a, err := thumbnail(t, request{Src: picture(t), Dst: dst}); err == nil {
		t.Errorf("got %+v", a)
	}
	expectNoTemporary(t, dir)
}

func TestCancelledTaskWritesNothing(t *testing.T) {
	reason := errors.New("nobody wants it")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(reason)
	dir := t.TempDir()
	r := request{Src: picture(t), Dst: filepath.Join(dir, "a.png"), Width: 10}
	if a, err := r.make(ctx); !errors.Is(err, reason) {
		t.Errorf("got %+v, %v", a, err)
	}
	if err := save(ctx, r.Dst, image.NewRGBA(image.Rect(0, 0, 1, 1))); !errors.Is(err, reason) {
		t.Errorf("save: %v", err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 0 {
		t.Errorf("found %v, %v", entries, err)
	}
}

// expectNoTemporary fails if a temporary file is left anywhere below dir.
func expectNoTemporary(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err == nil && strings.HasPrefix(e.Name(), ".thumbnail-") {
			t.Errorf("%s is left", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

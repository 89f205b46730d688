package main

import (
	"errors"
	"image"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// goTool asks the go command, which is there whenever tests are.
func goTool(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", args...).Output()
	if err != nil {
		t.Fatalf("go %s: %v", strings.Join(args, " "), err)
	}
	return strings.TrimSpace(string(out))
}

// Pictures as they come: odd colour spaces, odd sizes, some damaged on purpose.
func TestThumbnailsOfRealPictures(t *testing.T) {
	out := t.TempDir()
	t.Cleanup(func() { expectNoTemporary(t, out) })
	for _, dir := range []string{
		filepath.Join(goTool(t, "env", "GOROOT"), "src/image/testdata"),
		filepath.Join(goTool(t, "list", "-m", "-f", "{{.Dir}}", "golang.org/x/image"), "testdata"),
	} {
		sources, err := filepath.Glob(filepath.Join(dir, "*.*"))
		if err != nil || len(sources) < 30 {
			t.Fatalf("%s holds %d pictures: %v", dir, len(sources), err)
		}
		for _, src := range sources {
			t.Run(filepath.Base(src), func(t *testing.T) {
				t.Parallel()
				checkThumbnail(t, src, filepath.Join(out, strings.ReplaceAll(src, "/", "_")+".png"))
			})
		}
	}
}

// checkThumbnail makes a thumbnail of src and looks at it.
func checkThumbnail(t *testing.T, src, dst string) {
	a, err := thumbnail(t, request{Src: src, Dst: dst})
	if want := flaw(src); want != "" {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %+v, %v; want an error with %q", a, err, want)
		}
		return
	}
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimPrefix(filepath.Ext(src), "."); a.Format != want {
		t.Errorf("format %q, want %q", a.Format, want)
	}
	img, format, err := load(dst)
	if err != nil || format != "png" {
		t.Fatalf("the thumbnail is %q: %v", format, err)
	}
	size := img.Bounds().Size()
	if size != image.Pt(a.ThumbWidth, a.ThumbHeight) || max(size.X, size.Y) != min(side, max(a.Width, a.Height)) {
		t.Errorf("%d x %d became %v, told as %d x %d", a.Width, a.Height, size, a.ThumbWidth, a.ThumbHeight)
	}
}

// flaw is what must be said about the pictures that are none.
func flaw(src string) string {
	switch filepath.Base(src) {
	case "invalid-palette-ref.tiff":
		return "is damaged"
	case "large-huffman-index.lossless.webp.bz2":
		return "is not a picture"
	}
	return ""
}

func TestThumbnailLooksLikeItsSource(t *testing.T) {
	large, _, err := load(picture(t))
	for _, ext := range []string{".png", ".jpg", ".jpeg", ".JPEG"} {
		dst := filepath.Join(t.TempDir(), "a"+ext)
		_, failed := thumbnail(t, request{Src: picture(t), Dst: dst, Width: 30})
		small, _, unread := load(dst)
		if err := errors.Join(err, failed, unread); err != nil {
			t.Fatal(err)
		}
		if a, b := mean(large), mean(small); max(a-b, b-a) > 3 {
			t.Errorf("%s: mean brightness %d became %d", ext, a, b)
		}
	}
}

// mean is the mean brightness of a picture, 0 to 255.
func mean(img image.Image) int {
	sum, b := 0, img.Bounds()
	for y := b.Min.Y; y < b.Max.Y; y++ {
		for x := b.Min.X; x < b.Max.X; x++ {
			r, g, bl, _ := img.At(x, y).RGBA()
			sum += int(r+g+bl) / 3 >> 8
		}
	}
	return sum / (b.Dx() * b.Dy())
}

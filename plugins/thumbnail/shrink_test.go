package main

import (
	"image"
	"image/color"
	"testing"

	"pgregory.net/rapid"
)

func TestFit(t *testing.T) {
	for _, tc := range []struct{ w, h, boxW, boxH, wantW, wantH int }{
		{4000, 3000, 200, 100, 133, 100},
		{3000, 4000, 200, 0, 200, 267},
		{3000, 4000, 0, 100, 75, 100},
		{10, 20, 128, 128, 10, 20},
		{128, 128, 128, 128, 128, 128},
		{10_000, 1, 128, 128, 128, 1},
		{1, 10_000, 128, 128, 1, 128},
	} {
		if w, h := fit(tc.w, tc.h, tc.boxW, tc.boxH); w != tc.wantW || h != tc.wantH {
			t.Errorf("fit(%d, %d, %d, %d) = %d, %d; want %d, %d", tc.w, tc.h, tc.boxW, tc.boxH, w, h, tc.wantW, tc.wantH)
		}
	}
}

func TestFitKeepsProportionsWithinTheBox(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		size := rapid.IntRange(1, 1<<20)
		w, h, boxW, boxH := size.Draw(t, "w"), size.Draw(t, "h"), size.Draw(t, "boxW"), size.Draw(t, "boxH")
		gotW, gotH := fit(w, h, boxW, boxH)
		if gotW < 1 || gotH < 1 || gotW > min(w, boxW) || gotH > min(h, boxH) {
			t.Fatalf("%d x %d does not fit", gotW, gotH)
		}
		if gotW != min(w, boxW) && gotH != min(h, boxH) {
			t.Fatalf("%d x %d could be larger", gotW, gotH)
		}
		// The shorter side is rounded by at most half a pixel, or up to 1.
		exactW, exactH := float64(gotH)*float64(w)/float64(h), float64(gotW)*float64(h)/float64(w)
		if gotW > 1 && gotH > 1 && abs(exactW-float64(gotW)) > 0.51 && abs(exactH-float64(gotH)) > 0.51 {
			t.Fatalf("%d x %d is out of proportion", gotW, gotH)
		}
	})
}

func abs(f float64) float64 { return max(f, -f) }

func TestHugePictureIsScaled(t *testing.T) {
	src := image.NewGray(image.Rect(-5, -5, 1<<16, huge>>16))
	for i := range src.Pix {
		src.Pix[i] = 200
	}
	got := shrink(src, 64, 64)
	if c := got.RGBAAt(30, 0); got.Bounds().Dx() != 64 || c != (color.RGBA{200, 200, 200, 255}) {
		t.Errorf("%v, %v", got.Bounds(), c)
	}
}

func TestTransparencyBecomesWhiteInJPEG(t *testing.T) {
	dst := t.TempDir() + "/a.jpg"
	if err := save(t.Context(), dst, image.NewRGBA(image.Rect(0, 0, 8, 8))); err != nil {
		t.Fatal(err)
	}
	img, _, err := load(dst)
	if err != nil || mean(img) < 250 {
		t.Errorf("mean %d, %v", mean(img), err)
	}
}

func TestDefaultDestinationsDiffer(t *testing.T) {
	for src, want := range map[string]string{
		"a/b.png": "out/b.png", "a/b.PNG": "out/b.PNG", "b.jpeg": "out/b.jpeg.png", "/x/b": "out/b.png",
	} {
		if got := defaultDst(src); got != want {
			t.Errorf("defaultDst(%q) = %q, want %q", src, got, want)
		}
	}
}

package main

import (
	"image"

	"golang.org/x/image/draw"
)

// huge is the number of pixels from which a picture is scaled by looking at
// some of them: looking at all would cost seconds, and no eye sees it at this size.
const huge = 32 << 20

// shrink returns src scaled to fit within width x height, where 0 sets no bound.
func shrink(src image.Image, width, height int) *image.RGBA {
	b := src.Bounds()
	w, h := fit(b.Dx(), b.Dy(), width, height)
	dst := image.NewRGBA(image.Rect(0, 0, w, h))
	switch {
	case w == b.Dx() && h == b.Dy():
		draw.Draw(dst, dst.Bounds(), src, b.Min, draw.Src)
	case b.Dx()*b.Dy() >= huge:
		draw.ApproxBiLinear.Scale(dst, dst.Bounds(), src, b, draw.Src, nil)
	default:
		draw.CatmullRom.Scale(dst, dst.Bounds(), src, b, draw.Src, nil)
	}
	return dst
}

// fit returns the largest size with the proportions of w x h that fits the box and
// is not larger than w x h. No side of it is 0.
func fit(w, h, boxW, boxH int) (int, int) {
	if boxW == 0 {
		boxW = w
	}
	if boxH == 0 {
		boxH = h
	}
	if w <= boxW && h <= boxH {
		return w, h
	}
	// The narrower ratio decides: boxW/w < boxH/h without the fractions.
	if boxW*h < boxH*w {
		return boxW, max(1, (h*boxW+w/2)/w)
	}
	return max(1, (w*boxH+h/2)/h), boxH
}

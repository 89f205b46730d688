package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/image/draw"
)

// encoderFor returns what writes the format of a file's name, nil if there is none.
func encoderFor(path string) func(io.Writer, *image.RGBA) error {
	switch strings.ToLower(filepath.Ext(path)) {
	case ".png":
		return func(w io.Writer, img *image.RGBA) error { return png.Encode(w, img) }
	case ".jpg", ".jpeg":
		return encodeJPEG
	}
	return nil
}

// encodeJPEG puts the picture on white: JPEG knows no transparency, and what shows
// through would turn black.
func encodeJPEG(w io.Writer, img *image.RGBA) error {
	page := image.NewRGBA(img.Bounds())
	draw.Draw(page, page.Bounds(), image.NewUniform(color.White), image.Point{}, draw.Src)
	draw.Draw(page, page.Bounds(), img, img.Bounds().Min, draw.Over)
	return jpeg.Encode(w, page, &jpeg.Options{Quality: 85})
}

// save writes a thumbnail, creating the directory where it goes.
func save(ctx context.Context, path string, img *image.RGBA) error {
	var buf bytes.Buffer
	if err := encoderFor(path)(&buf, img); err != nil {
		return fmt.Errorf("encode %s: %w", path, err)
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("no directory for the thumbnail: %w", err)
	}
	return replace(path, buf.Bytes())
}

// replace puts a file in place as a whole. It is encoded before, so that a worker
// killed in the middle has next to no time in which to leave the temporary file.
func replace(path string, data []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".thumbnail-*")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("write %s: %w", path, errors.Join(err, os.Remove(tmp.Name())))
	}
	return nil
}

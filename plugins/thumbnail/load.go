package main

import (
	"bufio"
	"errors"
	"fmt"
	"image"
	_ "image/gif"  // read by image.Decode
	_ "image/jpeg" // the same, and the next four
	_ "image/png"
	"io"
	"io/fs"
	"os"

	_ "golang.org/x/image/bmp"
	_ "golang.org/x/image/tiff"
	_ "golang.org/x/image/webp"
)

// load reads a picture and the name of its format.
//
// It does not look at how large the picture claims to be: a decompression bomb takes all the
// memory it can get. That is what a supervisor's memory limit is there to stop, for
// this plugin as for those whose authors never thought of it.
func load(path string) (image.Image, string, error) {
	f, err := open(path)
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	img, format, err := image.Decode(bufio.NewReader(f))
	switch {
	case errors.Is(err, image.ErrFormat):
		return nil, "", fmt.Errorf("%s is not a picture: its content is none of png, jpeg, gif, bmp, tiff, webp", path)
	case errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF):
		return nil, "", fmt.Errorf("%s is cut off: it ends in the middle of the picture", path)
	case err != nil:
		return nil, "", fmt.Errorf("%s is damaged: %w", path, err)
	case img.Bounds().Empty():
		return nil, "", fmt.Errorf("%s has no pixels", path)
	}
	return img, format, nil
}

// open opens a regular file that is not empty. Anything else could block, or
// gives a decoder nothing to explain itself with.
func open(path string) (*os.File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("%s does not exist", path)
	case err != nil:
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	case !info.Mode().IsRegular():
		return nil, fmt.Errorf("%s is not a file", path)
	case info.Size() == 0:
		return nil, fmt.Errorf("%s is empty", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("%s cannot be read: %w", path, err)
	}
	return f, nil
}

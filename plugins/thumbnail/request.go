package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"
)

// side is the box of a thumbnail for which no size was asked.
const side = 128

// request is what a payload asks for. A width or height of 0 sets no bound.
type request struct {
	Src    string `json:"src"`
	Dst    string `json:"dst"`
	Width  int    `json:"width"`
	Height int    `json:"height"`
}

func parseRequest(payload []byte) (request, error) {
	var r request
	text := bytes.TrimSpace(payload)
	switch {
	case bytes.HasPrefix(text, []byte(`"`)):
		if err := decode(text, &r.Src); err != nil {
			return r, err
		}
	case bytes.HasPrefix(text, []byte("{")):
		if err := decode(text, &r); err != nil {
			return r, err
		}
	default:
		return r, errors.New(`the payload must be the path of a picture as a JSON string, or an object {"src":"...","dst":"...","width":128,"height":128}`)
	}
	if r.Src == "" {
		return r, errors.New("src is empty: it must be the path of a picture")
	}
	if r.Width < 0 || r.Height < 0 {
		return r, fmt.Errorf("the size %d x %d is negative", r.Width, r.Height)
	}
	if r.Width == 0 && r.Height == 0 {
		r.Width, r.Height = side, side
	}
	if r.Dst == "" {
		r.Dst = defaultDst(r.Src)
	}
	if encoderFor(r.Dst) == nil {
		return r, fmt.Errorf("dst is %q; its name must end in .png, .jpg or .jpeg, the formats a thumbnail can have", r.Dst)
	}
	return r, nil
}

// defaultDst keeps the source's extension in front of its own: a.gif and a.jpeg must not
// overwrite each other.
func defaultDst(src string) string {
	name := filepath.Base(src)
	if !strings.EqualFold(filepath.Ext(name), ".png") {
		name += ".png"
	}
	return filepath.Join("out", name)
}

// decode is strict: with a mistyped key the thumbnail would go somewhere else.
func decode(text []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return fmt.Errorf("the payload cannot be read: %w", err)
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("the payload has something behind its JSON value")
	}
	return nil
}

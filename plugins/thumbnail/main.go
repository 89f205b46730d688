package main

import (
	"context"
	"encoding/json"

	"github.com/brood-run/brood/child"
)

func main() {
	p := child.New("thumbnail", child.Version("1.0"))
	p.Handle("thumbnail", handle)
	p.Serve()
}

// answer describes the source and the thumbnail made of it.
type answer struct {
	Src         string `json:"src"`
	Dst         string `json:"dst"`
	Format      string `json:"format"`
	Width       int    `json:"width"`
	Height      int    `json:"height"`
	ThumbWidth  int    `json:"thumb_width"`
	ThumbHeight int    `json:"thumb_height"`
}

func handle(ctx context.Context, payload []byte) ([]byte, error) {
	r, err := parseRequest(payload)
	if err != nil {
		return nil, child.Permanent(err)
	}
	a, err := r.make(ctx)
	if err != nil {
		return nil, err
	}
	return json.Marshal(a)
}

// make goes from file to file. A cancelled task ends between two steps; none of them
// leaves anything behind.
func (r request) make(ctx context.Context) (answer, error) {
	src, format, err := load(r.Src)
	if err != nil {
		return answer{}, child.Permanent(err)
	}
	if ctx.Err() != nil {
		return answer{}, context.Cause(ctx)
	}
	thumb := shrink(src, r.Width, r.Height)
	if ctx.Err() != nil {
		return answer{}, context.Cause(ctx)
	}
	if err := save(ctx, r.Dst, thumb); err != nil {
		return answer{}, err
	}
	return answer{
		Src: r.Src, Dst: r.Dst, Format: format,
		Width: src.Bounds().Dx(), Height: src.Bounds().Dy(),
		ThumbWidth: thumb.Bounds().Dx(), ThumbHeight: thumb.Bounds().Dy(),
	}, nil
}

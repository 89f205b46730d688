package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// strictJSON is JSON that may not hold fields that are not in the schema: a misspelt option would
// be ignored otherwise.
type strictJSON struct{ name string }

var _ connect.Codec = strictJSON{}

// Name implements connect.Codec.
func (c strictJSON) Name() string { return c.name }

// Marshal implements connect.Codec.
func (strictJSON) Marshal(message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no message", message)
	}
	return protojson.Marshal(m)
}

// Unmarshal implements connect.Codec.
func (strictJSON) Unmarshal(data []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no message", message)
	}
	if len(data) == 0 {
		return errors.New("the body is empty; send {} if there is nothing to say")
	}
	if n := countValues(data); n > maxValues {
		return fmt.Errorf("about %d values are more than %d in one message; send a payload of that many as bytes (payloadBytes)", n, maxValues)
	}
	if err := protojson.Unmarshal(data, m); err != nil {
		// The library varies the blank after its name at random.
		reason := strings.TrimLeft(strings.TrimPrefix(err.Error(), "proto:"), " \u00a0")
		return errors.New(text(reason))
	}
	return nil
}

// valueSize is about what a value of JSON takes in memory, however short it is, in bytes.
const valueSize = 144

// maxValues is how many values one JSON message may hold.
const maxValues = 1 << 20

// countValues counts what may separate values; those in strings are too few to matter.
func countValues(data []byte) int {
	n := 0
	for _, separator := range []byte{',', '[', '{'} {
		n += bytes.Count(data, []byte{separator})
	}
	return n
}

// isJSON says whether a request's messages are JSON.
func isJSON(h http.Header) bool { return strings.Contains(h.Get("Content-Type"), "json") }

// asJSON says whether a call's answer will be JSON.
func asJSON(ctx context.Context) bool {
	info, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return false
	}
	kind, _, _ := strings.Cut(info.RequestHeader().Get("Content-Type"), ";")
	return strings.HasSuffix(kind, "json") || info.Peer().Query.Get("encoding") == "json"
}

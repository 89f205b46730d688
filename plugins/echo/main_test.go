package main

import (
	"bytes"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestEchoReturnsEveryPayload(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		payload := rapid.SliceOf(rapid.Byte()).Draw(t, "payload")
		got, err := echo(t.Context(), bytes.Clone(payload))
		if err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("echo(%q) = %q, %v", payload, got, err)
		}
	})
}

package cli

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"
)

// The functions below decode the values of an input line. Their errors say what
// was expected; the caller names the key.

func nonEmpty(value []byte) (string, error) {
	s, err := unquote(value)
	if err == nil && s == "" {
		err = errors.New("expected some text, found an empty string")
	}
	return s, err
}

func decodeBase64(value []byte) ([]byte, error) {
	s, err := unquote(value)
	if err != nil {
		return nil, err
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return nil, fmt.Errorf("expected standard base64 with padding: %w", err)
	}
	return raw, nil
}

func decodeWhole(value []byte, lowest, highest int) (int, error) {
	n, err := strconv.Atoi(string(value))
	if err != nil || n < lowest || n > highest {
		return 0, fmt.Errorf("expected a whole number from %d to %d, found %s", lowest, highest, brief(value))
	}
	return n, nil
}

// decodeTimeout reads a task's own timeout. Zero switches the pool's off, which
// the library spells as a negative one.
func decodeTimeout(value []byte) (time.Duration, error) {
	d, err := decodeDuration(value)
	if err == nil && d == 0 {
		d = -1
	}
	return d, err
}

func decodeExpires(value []byte) (time.Duration, error) {
	d, err := decodeDuration(value)
	if err == nil && d == 0 {
		err = errors.New("expected a duration above zero")
	}
	return d, err
}

func decodeDuration(value []byte) (time.Duration, error) {
	s, err := unquote(value)
	if err != nil {
		return 0, fmt.Errorf("expected a string with a unit such as \"30s\", found %s", brief(value))
	}
	return parseDuration(s)
}

func decodeBool(value []byte) (bool, error) {
	switch string(value) {
	case "true":
		return true, nil
	case "false":
		return false, nil
	}
	return false, fmt.Errorf("expected true or false, found %s", brief(value))
}

func decodeMeta(value []byte) (map[string]string, error) {
	meta := make(map[string]string)
	if !bytes.HasPrefix(value, []byte("{")) {
		return nil, fmt.Errorf("expected an object of strings, found %s", brief(value))
	}
	err := members(value, func(key string, v []byte) error {
		s, err := unquote(v)
		if err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
		if _, twice := meta[key]; twice {
			return fmt.Errorf("%s is given twice", key)
		}
		meta[key] = s
		return nil
	})
	return meta, err
}

// readPayload reads a regular file: a FIFO or a device could block the input for ever.
func readPayload(path string, most int) ([]byte, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("payload_file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("payload_file: %s is not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("payload_file: %w", err)
	}
	defer f.Close()
	// One byte more than allowed tells a file that is too large from one that fits.
	raw, err := io.ReadAll(io.LimitReader(f, int64(most)+1))
	if err != nil {
		return nil, fmt.Errorf("payload_file: %w", err)
	}
	if len(raw) > most {
		return nil, fmt.Errorf("payload_file: %s is %d bytes, the limit is %d", path, max(info.Size(), int64(len(raw))), most)
	}
	return raw, nil
}

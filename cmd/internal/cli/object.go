package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"
)

// members calls visit with each key of the JSON object text and its value as it
// is written there. Values are not decoded: a payload must pass byte for byte.
func members(text []byte, visit func(key string, value []byte) error) error {
	if !json.Valid(text) {
		return notJSON(text)
	}
	rest := bytes.TrimLeft(text, " \t\r\n")
	if rest[0] != '{' {
		return fmt.Errorf("expected a JSON object, found %s", brief(rest))
	}
	rest = rest[1:]
	for {
		rest = bytes.TrimLeft(rest, " \t\r\n,")
		if rest[0] == '}' {
			return nil
		}
		n := valueLen(rest)
		key, err := unquote(rest[:n])
		if err != nil {
			return fmt.Errorf("a key: %w", err)
		}
		rest = bytes.TrimLeft(rest[n:], " \t\r\n:")
		n = valueLen(rest)
		if err := visit(key, rest[:n:n]); err != nil {
			return err
		}
		rest = rest[n:]
	}
}

// valueLen is the length of the JSON value at the start of valid JSON text.
func valueLen(text []byte) int {
	switch text[0] {
	case '"':
		return stringLen(text)
	case '{', '[':
		return nestedLen(text)
	}
	if i := bytes.IndexAny(text, ",}] \t\r\n"); i >= 0 {
		return i
	}
	return len(text)
}

func stringLen(text []byte) int {
	i := 1
	for {
		quote := bytes.IndexByte(text[i:], '"')
		end := i + quote
		escapes := 0
		for text[end-1-escapes] == '\\' {
			escapes++
		}
		i = end + 1
		if escapes%2 == 0 {
			return i
		}
	}
}

func nestedLen(text []byte) int {
	depth := 0
	for i := 0; ; i++ {
		switch text[i] {
		case '"':
			i += stringLen(text[i:]) - 1
		case '{', '[':
			depth++
		case '}', ']':
			depth--
			if depth == 0 {
				return i + 1
			}
		}
	}
}

// unquote decodes a JSON string.
func unquote(value []byte) (string, error) {
	if len(value) == 0 || value[0] != '"' {
		return "", fmt.Errorf("expected a string, found %s", brief(value))
	}
	if !utf8.Valid(value) {
		return "", fmt.Errorf("expected UTF-8, found %s", brief(value))
	}
	inner := value[1 : len(value)-1]
	if bytes.IndexByte(inner, '\\') < 0 {
		return string(inner), nil
	}
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return "", fmt.Errorf("expected a string: %w", err)
	}
	return s, nil
}

// brief shows the beginning of a value in an error.
func brief(value []byte) string {
	const most = 40
	if len(value) > most {
		return fmt.Sprintf("%q...", value[:most])
	}
	return fmt.Sprintf("%q", value)
}

func notJSON(text []byte) error {
	var v json.RawMessage
	err := json.Unmarshal(text, &v)
	if err != nil && strings.Contains(err.Error(), "max depth") {
		return errors.New("nested deeper than 10,000 levels; send such a payload as payload_base64")
	}
	return fmt.Errorf("not JSON: %v; a line is an object such as {\"payload\":1}, this one begins with %s", err, brief(text))
}

// idWithin finds the id in text that may be broken or cut short further on.
func idWithin(text []byte) string {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return ""
	}
	for {
		key, err := d.Token()
		if err != nil {
			return ""
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return ""
		}
		if key == "id" {
			id, _ := unquote(value)
			return id
		}
	}
}

// validJSON refuses a payload that was meant to be JSON and is not.
func validJSON(raw string) error {
	var v json.RawMessage
	if err := json.Unmarshal([]byte(raw), &v); err != nil {
		return fmt.Errorf("not JSON: %v; a text is given as \"text\" with its quotes, or as an argument", err)
	}
	return nil
}

package client

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// ReadToken reads a token from a file: its one line, without the white space around it.
func ReadToken(path string) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer f.Close()
	const most = 4 << 10
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err != nil {
		return "", err
	}
	if len(raw) > most {
		return "", fmt.Errorf("%s is too long for a token, the limit is %d bytes", path, most)
	}
	return CheckToken(strings.TrimSpace(string(raw)), path)
}

// CheckToken refuses what cannot be sent in a header. The error names the place and never the token.
func CheckToken(token, place string) (string, error) {
	if token == "" {
		return "", fmt.Errorf("%s holds no token", place)
	}
	for _, c := range token {
		if c <= ' ' || c > '~' {
			return "", fmt.Errorf("%s holds more than one token, or characters that a token cannot have", place)
		}
	}
	return token, nil
}

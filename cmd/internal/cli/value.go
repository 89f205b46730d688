package cli

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/dustin/go-humanize"
)

// value is how a setting's value is read, and how a schema of config files describes it.
type value struct {
	set    func(string) error // parses and stores one value
	schema schema
	pairs  bool // KEY=VALUE; a config file may have a mapping of them
}

// free is a value with a grammar of its own.
func free(set func(string) error) value {
	return value{set: set, schema: schema{"type": "string", "minLength": 1}}
}

// keyed is a value of the form KEY=VALUE.
func keyed(set func(string) error) value {
	return value{set: set, schema: schema{"type": "string", "pattern": "^[^=]+="}, pairs: true}
}

// then stores a value that was read into a field of another type.
func (v value) then(store func()) value {
	read := v.set
	v.set = func(raw string) error {
		if err := read(raw); err != nil {
			return err
		}
		store()
		return nil
	}
	return v
}

// The functions below make values for a field of one type. Their errors say what was
// expected; the caller says where.

func text(field *string) value {
	return value{schema: schema{"type": "string", "minLength": 1}, set: func(raw string) error {
		if raw == "" {
			return fmt.Errorf("expected some text, found nothing")
		}
		*field = raw
		return nil
	}}
}

func choice(field *string, allowed ...string) value {
	return value{schema: schema{"enum": allowed}, set: func(raw string) error {
		if !slices.Contains(allowed, raw) {
			return fmt.Errorf("expected one of %s, found %q", strings.Join(allowed, ", "), raw)
		}
		*field = raw
		return nil
	}}
}

func boolean(field *bool) value {
	return value{schema: schema{"type": "boolean"}, set: func(raw string) error {
		if raw != "true" && raw != "false" {
			return fmt.Errorf("expected true or false, found %q", raw)
		}
		*field = raw == "true"
		return nil
	}}
}

func whole(field *int, lowest, highest int) value {
	return value{schema: schema{"type": "integer", "minimum": lowest, "maximum": highest}, set: func(raw string) error {
		n, err := strconv.Atoi(raw)
		if err != nil || n < lowest || n > highest {
			return fmt.Errorf("expected a whole number from %d to %d, found %q", lowest, highest, raw)
		}
		*field = n
		return nil
	}}
}

func fraction(field *float64, highest float64) value {
	return value{schema: schema{"type": "number", "minimum": 0, "maximum": highest}, set: func(raw string) error {
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil || !(f >= 0 && f <= highest) {
			return fmt.Errorf("expected a number from 0 to %g, found %q", highest, raw)
		}
		if f == 0 {
			f = -1 // the library takes zero for its default
		}
		*field = f
		return nil
	}}
}

func processors(field *float64) value {
	return value{schema: schema{"type": "number", "minimum": 0.01, "maximum": 1e6}, set: func(raw string) error {
		f, err := strconv.ParseFloat(raw, 64)
		if err != nil || !(f >= 0.01 && f <= 1e6) {
			return fmt.Errorf("expected a number of processors such as 1.5, 0.01 at least, found %q", raw)
		}
		*field = f
		return nil
	}}
}

func duration(field *time.Duration) value {
	return value{schema: durationSchema(), set: func(raw string) error {
		d, err := parseDuration(raw)
		if err != nil {
			return err
		}
		*field = d
		return nil
	}}
}

func parseDuration(raw string) (time.Duration, error) {
	d, err := time.ParseDuration(raw)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("expected a duration with a unit such as 500ms, 30s or 1h30m, found %q", raw)
	}
	return d, nil
}

func parseSize(raw string) (uint64, error) {
	n, err := humanize.ParseBytes(raw)
	if err != nil || strings.HasPrefix(raw, "-") {
		return 0, fmt.Errorf("expected a size such as 256MiB, 1GB or a number of bytes, found %q", raw)
	}
	return n, nil
}

// workerMemory is a size that a worker can have: less is a unit forgotten.
func workerMemory(field *uint64) value {
	const least = 1 << 20
	return value{schema: sizeSchema(), set: func(raw string) error {
		n, err := parseSize(raw)
		if err == nil && n > 0 && n < least {
			err = fmt.Errorf("expected a size with a unit such as 256MiB, 1MiB at least, found %q", raw)
		}
		if err != nil {
			return err
		}
		*field = n
		return nil
	}}
}

func sizeWithin(field *int, lowest, highest uint64) value {
	return value{schema: sizeSchema(), set: func(raw string) error {
		n, err := parseSize(raw)
		if err == nil && (n < lowest || n > highest) {
			err = fmt.Errorf("expected a size from %s to %s, found %q", humanize.IBytes(lowest), humanize.IBytes(highest), raw)
		}
		if err != nil {
			return err
		}
		*field = int(n)
		return nil
	}}
}

// checksum takes a SHA-256 as sha256sum prints it.
func checksum(field *string) value {
	return value{schema: schema{"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}, set: func(raw string) error {
		if sum, err := hex.DecodeString(raw); err != nil || len(sum) != sha256.Size {
			return fmt.Errorf("expected the 64 hexadecimal digits of a SHA-256 checksum, found %q", raw)
		}
		*field = raw
		return nil
	}}
}

// texts adds a text to a list.
func texts(field *[]string) value {
	return value{schema: schema{"type": "string", "minLength": 1}, set: func(raw string) error {
		if raw == "" {
			return fmt.Errorf("expected some text, found nothing")
		}
		*field = append(*field, raw)
		return nil
	}}
}

// pair checks that a value has the form KEY=VALUE.
func pair(raw string) (key, value string, err error) {
	key, value, found := strings.Cut(raw, "=")
	if !found || key == "" {
		return "", "", fmt.Errorf("expected KEY=VALUE, found %q", raw)
	}
	return key, value, nil
}

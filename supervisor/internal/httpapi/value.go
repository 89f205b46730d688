package httpapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/types/known/structpb"
)

// appendValue appends a value as JSON text without blanks, the keys of its objects in order.
func appendValue(b []byte, v *structpb.Value) ([]byte, error) {
	switch k := v.GetKind().(type) {
	case *structpb.Value_NumberValue:
		if math.IsNaN(k.NumberValue) || math.IsInf(k.NumberValue, 0) {
			return nil, fmt.Errorf("%v is no number that JSON has", k.NumberValue)
		}
		return appendPlain(b, k.NumberValue)
	case *structpb.Value_StringValue:
		return appendPlain(b, k.StringValue)
	case *structpb.Value_BoolValue:
		return strconv.AppendBool(b, k.BoolValue), nil
	case *structpb.Value_StructValue:
		return appendObject(b, k.StructValue.GetFields())
	case *structpb.Value_ListValue:
		return appendList(b, k.ListValue.GetValues())
	}
	return append(b, "null"...), nil
}

func appendObject(b []byte, fields map[string]*structpb.Value) (_ []byte, err error) {
	names := make([]string, 0, len(fields))
	for name := range fields {
		names = append(names, name)
	}
	slices.Sort(names)
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendPlain(b, name); err != nil {
			return nil, err
		}
		if b, err = appendValue(append(b, ':'), fields[name]); err != nil {
			return nil, err
		}
	}
	return append(b, '}'), nil
}

func appendList(b []byte, values []*structpb.Value) (_ []byte, err error) {
	b = append(b, '[')
	for i, v := range values {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendValue(b, v); err != nil {
			return nil, err
		}
	}
	return append(b, ']'), nil
}

// appendPlain appends a string or number; a < stays a <.
func appendPlain(b []byte, v any) ([]byte, error) {
	buffer := bytes.NewBuffer(b)
	encoder := json.NewEncoder(buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buffer.Bytes(), []byte("\n")), nil
}

// maxAnswered is how many values of JSON text an answer may hold, and keys: each takes some hundred bytes of
// memory.
const maxAnswered = 1 << 17

// parseValue reads JSON text as a value, unless that would change what it means or take too much memory: a
// number may have more digits than a float64 keeps, an object one name twice.
func parseValue(text []byte) (*structpb.Value, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	for n := 0; ; n++ {
		token, err := decoder.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			return nil, err
		}
		if number, ok := token.(json.Number); ok && !exact(string(number)) {
			return nil, errInexact
		}
		if n == maxAnswered {
			return nil, errManyValues
		}
	}
	v := &structpb.Value{}
	return v, protojson.Unmarshal(text, v)
}

var (
	errInexact    = errors.New("a number has more digits than are kept")
	errManyValues = errors.New("there are more values than an answer may hold")
)

// exact says whether a number in JSON is the same after it was a float64.
func exact(number string) bool {
	f, err := strconv.ParseFloat(number, 64)
	if err != nil {
		return false
	}
	digits, exponent := scientific(number)
	kept, at := scientific(strconv.FormatFloat(f, 'e', -1, 64))
	return digits == kept && (exponent == at || digits == "")
}

// scientific returns the digits of a number without zeros around them and the power of ten that the
// first of them counts.
func scientific(number string) (digits string, exponent int) {
	mantissa, power, _ := strings.Cut(strings.ToLower(strings.TrimPrefix(number, "-")), "e")
	exponent, _ = strconv.Atoi(power) // one that is too large was no float64 to begin with
	whole, fraction, _ := strings.Cut(mantissa, ".")
	exponent += len(whole) - 1
	all := whole + fraction
	digits = strings.TrimLeft(all, "0")
	exponent -= len(all) - len(digits)
	return strings.TrimRight(digits, "0"), exponent
}

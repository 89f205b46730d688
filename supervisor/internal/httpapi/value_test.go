package httpapi

import (
	"math"
	"math/big"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/known/structpb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
	"github.com/brood-run/brood/supervisor/task"
)

// sameNumber compares without rounding.
func sameNumber(t *testing.T, a, b string) bool {
	t.Helper()
	if _, power, _ := strings.Cut(strings.ToLower(a), "e"); len(power) > 5 {
		return true // too large to compare; zero, or refused before
	}
	x, okX := new(big.Rat).SetString(a)
	y, okY := new(big.Rat).SetString(b)
	return okX && okY && x.Cmp(y) == 0
}

func TestResultsThatJSONWouldChangeStayBytes(t *testing.T) {
	for text, exact := range map[string]bool{
		`{"a":1.50,"b":[1e2,0.1,-0.0,1e-7]}`: true, `9007199254740992`: true, `"x"`: true, `null`: true, ` true `: true, `123456789012345`: true,
		`9007199254740993`: false, `{"a":[1152921504606846977]}`: false, `0.1000000000000000055511151231257827`: false, `1e400`: false,
		`{"a":1,"a":2}`: false, `not json`: false, ``: false, "\"\xff\"": false, `1 2`: false,
	} {
		if _, err := parseValue([]byte(text)); (err == nil) != exact {
			t.Errorf("%s: %v, want exact: %v", text, err, exact)
		}
	}
}

// Each value takes a hundred times the memory of its text.
func TestResultsOfManyValuesStayBytes(t *testing.T) {
	list := func(n int) *task.Result {
		return &task.Result{Status: task.Completed, Payload: []byte("[" + strings.Repeat("0,", n-1) + "0]")}
	}
	for n, parsed := range map[int]bool{maxAnswered - 2: true, maxAnswered: false, 8 << 20: false} {
		out := &broodv1.Task{}
		addResult(out, list(n), true)
		if (out.GetResult() != nil) != parsed || (out.GetResultBytes() != nil) == parsed {
			t.Errorf("%d values: want them parsed: %v", n, parsed)
		}
	}
	// Separators in a string are no values.
	out := &broodv1.Task{}
	addResult(out, &task.Result{Status: task.Completed, Payload: []byte(`"` + strings.Repeat(",[", maxAnswered) + `"`)}, true)
	if out.GetResult() == nil {
		t.Error("a long string is not parsed")
	}
}

func TestValuesThatJSONHasNot(t *testing.T) {
	for _, f := range []float64{math.NaN(), math.Inf(1)} {
		v := structpb.NewListValue(&structpb.ListValue{Values: []*structpb.Value{structpb.NewNumberValue(f)}})
		if b, err := appendValue(nil, v); err == nil || !strings.Contains(err.Error(), "no number that JSON has") {
			t.Errorf("%v became %s, %v", f, b, err)
		}
	}
	if b, err := appendValue(nil, nil); err != nil || string(b) != "null" {
		t.Errorf("%s, %v", b, err)
	}
}

package httpapi

import (
	"google.golang.org/protobuf/types/known/structpb"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// growth is what the values of a message take in memory beside its own size, in bytes.
func growth(message any) (size int64) {
	switch m := message.(type) {
	case *broodv1.SubmitRequest:
		return int64(valueSize * count(m.GetPayload()))
	case *broodv1.SubmitBatchRequest:
		for _, r := range m.GetTasks() {
			size += growth(r)
		}
	}
	return size
}

// count is how many values there are in one, with itself.
func count(v *structpb.Value) int {
	if v == nil {
		return 0
	}
	n := 1
	for _, of := range v.GetListValue().GetValues() {
		n += count(of)
	}
	for _, of := range v.GetStructValue().GetFields() {
		n += count(of)
	}
	return n
}

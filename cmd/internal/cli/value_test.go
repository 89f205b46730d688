package cli

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// setAll applies values to one setting of fresh options.
func setAll(t *testing.T, name string, values ...string) (*options, error) {
	t.Helper()
	o := newOptions()
	for _, g := range o.groups() {
		for _, s := range g.settings {
			if s.name != name {
				continue
			}
			for _, v := range values {
				if err := s.set(v); err != nil {
					return o, err
				}
			}
			return o, nil
		}
	}
	t.Fatalf("there is no setting %s", name)
	return nil, nil
}

func TestSettingsReachTheConfig(t *testing.T) {
	tests := []struct {
		name, value string
		get         func(o *options) any
		want        any
	}{
		{"workers", "7", func(o *options) any { return o.pool.Workers }, 7},
		{"hard-timeout", "1h30m", func(o *options) any { return o.pool.HardTimeout }, 90 * time.Minute},
		{"hard-memory-limit", "256MiB", func(o *options) any { return o.pool.HardMemoryLimit }, uint64(256 << 20)},
		{"soft-memory-limit", "1GB", func(o *options) any { return o.pool.SoftMemoryLimit }, uint64(1e9)},
		{"max-payload", "1000", func(o *options) any { return o.config("p").MaxPayload }, 1000},
		{"grace-period", "0s", func(o *options) any { return o.config("p").GracePeriod }, time.Duration(-1)},
		{"recycle-jitter", "0", func(o *options) any { return o.pool.RecycleJitter }, -1.0},
		{"rlimit", "as=1GiB", func(o *options) any { return o.pool.Limits.Rlimits }, map[string]uint64{"as": 1 << 30}},
		{"oom-score-adj", "0", func(o *options) any { return *o.pool.Limits.OOMScoreAdj }, 0},
		{"env", "A=b=c", func(o *options) any { return o.pool.Env }, []string{"A=b=c"}},
		{"ordered", "true", func(o *options) any { return o.ordered }, true},
	}
	for _, tt := range tests {
		o, err := setAll(t, tt.name, tt.value)
		if err != nil {
			t.Errorf("%s=%s: %v", tt.name, tt.value, err)
			continue
		}
		if diff := cmp.Diff(tt.want, tt.get(o)); diff != "" {
			t.Errorf("%s=%s: %s", tt.name, tt.value, diff)
		}
	}
}

func TestSettingsSayWhatTheyExpect(t *testing.T) {
	tests := []struct{ name, value, want string }{
		{"workers", "0", "a whole number from 1 to 10000"},
		{"workers", "2.5", "a whole number"},
		{"hard-timeout", "5", "a duration with a unit"},
		{"hard-timeout", "-5s", "a duration with a unit"},
		{"hard-memory-limit", "256 Mb/s", "a size such as 256MiB"},
		{"hard-memory-limit", "-1", "a size such as 256MiB"},
		{"max-payload", "2GiB", "a size from 1 B to 1.0 GiB"},
		{"ordered", "yes", "true or false"},
		{"log-level", "loud", "one of trace, debug, info, warn, error, off"},
		{"recycle-jitter", "NaN", "a number from 0 to 0.5"},
		{"rlimit", "nofile", "NAME=NUMBER"},
		{"rlimit", "files=1", "nofile, core, cpu"},
		{"rlimit", "cpu=1s", "a number"},
		{"env", "=x", "KEY=VALUE"},
		{"plugin", "", "some text"},
	}
	for _, tt := range tests {
		_, err := setAll(t, tt.name, tt.value)
		if err == nil || !strings.HasPrefix(err.Error(), "expected ") && !strings.Contains(err.Error(), ": expected ") || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s=%q: error %v, want one with %q", tt.name, tt.value, err, tt.want)
		}
	}
}

func TestSuggestion(t *testing.T) {
	known := map[string]int{"workers": 0, "slots": 0, "window": 0}
	for typed, want := range map[string]string{
		"wrokers": `, did you mean "workers"?`, "slot": `, did you mean "slots"?`, "banana": "", "": "",
	} {
		if got := suggestion(typed, known); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
}

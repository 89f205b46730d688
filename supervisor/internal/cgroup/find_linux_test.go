package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestLocate(t *testing.T) {
	for name, test := range map[string]struct {
		mounts, own string
		want        []hierarchy
	}{
		"v2": {
			"30 23 0:26 / /sys/fs/cgroup rw,nosuid - cgroup2 cgroup2 rw,nsdelegate\n",
			"0::/user.slice/a.scope\n",
			[]hierarchy{{v2: true, home: "/sys/fs/cgroup/user.slice/a.scope"}},
		},
		"hybrid": {
			"31 23 0:28 / /sys/fs/cgroup rw - tmpfs tmpfs rw,mode=755\n" +
				"35 31 0:32 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n" +
				"36 31 0:33 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n" +
				"40 31 0:37 / /sys/fs/cgroup/systemd rw - cgroup cgroup rw,name=systemd\n" +
				"41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n",
			"9:name=systemd:/a\n4:memory:/b\n2:cpu,cpuacct:/\n0::/c\n",
			[]hierarchy{
				{controllers: []string{"memory"}, home: "/sys/fs/cgroup/memory/b"},
				{controllers: []string{"cpu", "cpuacct"}, home: "/sys/fs/cgroup/cpu,cpuacct"},
				{v2: true, home: "/sys/fs/cgroup/unified/c"},
			},
		},
		"a container sees its part": {
			"35 31 0:32 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"4:memory:/docker/1/x\n",
			[]hierarchy{{controllers: []string{"memory"}, home: "/sys/fs/cgroup/memory/x"}},
		},
		"and not another's": {
			"35 31 0:32 /docker/1 /sys/fs/cgroup/memory ro - cgroup cgroup rw,memory\n",
			"4:memory:/docker/11\n3:memory:/../x\n",
			nil,
		},
		"moved already": {
			"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"0::/a.scope/brood-abcdefghijklmnopqrstuvwxyz/self\n",
			[]hierarchy{{v2: true, home: "/sys/fs/cgroup/a.scope"}},
		},
		"moved by somebody else": {
			"30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n",
			"0::/a.scope/brood-1/self\n",
			[]hierarchy{{v2: true, home: "/sys/fs/cgroup/a.scope/brood-1/self"}},
		},
		"blanks":  {`30 23 0:26 / /a\040b rw - cgroup2 cgroup2 rw`, "0::/\n", []hierarchy{{v2: true, home: "/a b"}}},
		"nothing": {"30 23 0:26 / /proc rw - proc proc rw\n", "0::/\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			got := locate(test.mounts, test.own)
			if d := cmp.Diff(test.want, got, cmp.AllowUnexported(hierarchy{})); d != "" {
				t.Error(d)
			}
		})
	}
}

func FuzzLocate(f *testing.F) {
	f.Add("30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw\n", "0::/a\n")
	f.Add("35 31 0:32 /x /m rw - cgroup cgroup rw,memory\n", "4:memory:/x/y\n::\n")
	f.Fuzz(func(t *testing.T, mounts, own string) {
		for _, h := range locate(mounts, own) {
			if h.v2 == (len(h.controllers) > 0) {
				t.Errorf("got %+v", h)
			}
		}
	})
}

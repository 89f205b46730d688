package cli

import (
	"fmt"
	"strconv"

	"github.com/brood-run/brood/supervisor"
)

func (o *options) workerSettings() []setting {
	p := &o.pool
	return []setting{
		{"workers", "run `N` worker processes", "number of CPUs", single, whole(&p.Workers, 1, 10_000)},
		{"slots", "let each worker run `N` tasks at once", "1", single, whole(&p.Slots, 1, 1024)},
		{"window", "send a worker at most `N` tasks ahead; as many as --slots means none", "256", single, whole(&p.Window, 1, 1<<16)},
		{"start-timeout", "give up on a worker that is not ready after this `DURATION`", "10s", single, duration(&p.StartTimeout)},
		{"heartbeat", "`DURATION` between a worker's signs of life", "1s", single, duration(&p.Heartbeat)},
		{"missed-heartbeats", "replace a worker after `N` missed signs of life", "10", single, whole(&p.MissedHeartbeats, 1, 10_000)},
		{"grace-period", "`DURATION` that running tasks may take to finish after an interrupt", "30s", single, duration(&o.grace)},
		{"dir", "working `DIRECTORY` of the workers", "this one", single, text(&p.Dir)},
		{"env", "add `KEY=VALUE` to the environment of the workers; may be repeated", "", many, keyed(o.setEnv)},
		{"clear-env", "give the workers no other variables than those of --env; many programs need PATH", "", toggle, boolean(&p.ClearEnv)},
	}
}

func (o *options) limitSettings() []setting {
	p := &o.pool
	return []setting{
		{"soft-timeout", "cancel a task this `DURATION` after it started; it may still answer", "none", single, duration(&p.SoftTimeout)},
		{"hard-timeout", "kill a task's worker this `DURATION` after it started", "none", single, duration(&p.HardTimeout)},
		{"cancel-grace", "`DURATION` a cancelled task may take to give up before its worker is killed", "5s", single, duration(&p.CancelGrace)},
		{"hard-memory-limit", "kill a worker above this `SIZE` in the middle of its task", "none", single, workerMemory(&p.HardMemoryLimit)},
		{"max-attempts", "start a task at most `N` times", "3", single, whole(&p.MaxAttempts, 1, 65535)},
		{"max-crashes", "give up on a task that has ended `N` workers", "2", single, whole(&p.MaxCrashes, 1, 65535)},
		{"backoff-base", "`DURATION` before the first retry; it doubles with each, and a random part of it is taken", "1s", single, duration(&p.BackoffBase)},
		{"backoff-cap", "longest `DURATION` before a retry", "5m", single, duration(&p.BackoffCap)},
	}
}

func (o *options) recycleSettings() []setting {
	p := &o.pool
	return []setting{
		{"max-tasks-per-child", "replace a worker after `N` tasks", "never", single, whole(&p.MaxTasksPerChild, 0, 1<<31-1)},
		{"soft-memory-limit", "replace a worker after the task that takes it over this `SIZE`", "none", single, workerMemory(&p.SoftMemoryLimit)},
		{"ttl", "replace a worker of this age, a `DURATION`", "never", single, duration(&p.TTL)},
		{"idle-ttl", "stop a worker that had nothing to do for this `DURATION`", "never", single, duration(&p.IdleTTL)},
		{"recycle-jitter", "lower those limits by up to this `FRACTION`, so that workers do not wear out together", "0.1", single, fraction(&p.RecycleJitter, 0.5)},
	}
}

func (o *options) systemSettings() []setting {
	l := &o.pool.Limits
	return []setting{
		{"rlimit", "set `NAME=NUMBER` on each worker: nofile, core, cpu (seconds), as (bytes), nproc or fsize (bytes); may be repeated", "", many, keyed(o.setRlimit)},
		{"nice", "add `N` to the scheduling priority of the workers", "0", single, whole(&l.Nice, -20, 19)},
		{"oom-score-adj", "`N` that tells the kernel whom to kill when memory runs out", "500", single, o.oomScoreAdj()},
		{"user", "run the workers as this `USER`, a name or a number; needs root", "", single, text(&l.User)},
		{"group", "run the workers as this `GROUP`, a name or a number; needs root", "", single, text(&l.Group)},
		{"cpu-limit", "let each worker with all it starts use `N` processors, such as 1.5; needs --isolation cgroup or pidns", "none", single, processors(&l.CPU)},
		{"pids-limit", "let each worker with all it starts be `N` processes and threads; needs --isolation cgroup or pidns", "none", single, whole(&l.Pids, 1, 1<<22)},
		{"no-new-privs", "keep the workers from gaining privileges through setuid programs", "", toggle, boolean(&l.NoNewPrivs)},
	}
}

func (o *options) confineSettings() []setting {
	p := &o.pool
	return []setting{
		{"isolation", "`LEVEL` at which workers are kept apart: group, cgroup, pidns, or auto for the strongest that works here", "group", single, o.isolation()},
		{"allow-read", "let the workers read and execute only beneath this `PATH`, another or one of --allow-write; may be repeated", "everything", many, texts(&p.Limits.AllowRead)},
		{"allow-write", "let the workers change only what is beneath this `PATH` or another; may be repeated", "everything, or nothing with --allow-read", many, texts(&p.Limits.AllowWrite)},
		{"sha256", "start workers only while the plugin's file has this SHA-256 `CHECKSUM`", "", single, checksum(&p.SHA256)},
		{"network", "`NETWORK` the workers can reach: host or none", "host", single, o.network()},
	}
}

func (o *options) network() value {
	var n string
	return choice(&n, "host", "none").then(func() { o.pool.Limits.Network = supervisor.Network(n) })
}

func (o *options) isolation() value {
	var level string
	return choice(&level, "auto", "group", "cgroup", "pidns").then(func() { o.pool.Isolation = supervisor.Isolation(level) })
}

func (o *options) setEnv(raw string) error {
	if _, _, err := pair(raw); err != nil {
		return err
	}
	o.pool.Env = append(o.pool.Env, raw)
	return nil
}

func (o *options) setRlimit(raw string) error {
	name, value, err := pair(raw)
	if err != nil {
		return fmt.Errorf("expected NAME=NUMBER such as nofile=1024, found %q", raw)
	}
	switch name {
	case "nofile", "core", "cpu", "as", "nproc", "fsize":
	default:
		return fmt.Errorf("expected nofile, core, cpu, as, nproc or fsize, found %q", name)
	}
	var n uint64
	if name == "cpu" || name == "nofile" || name == "nproc" {
		n, err = strconv.ParseUint(value, 10, 64)
	} else {
		n, err = parseSize(value)
	}
	if err != nil {
		return fmt.Errorf("%s: expected a number, found %q", name, value)
	}
	if o.pool.Limits.Rlimits == nil {
		o.pool.Limits.Rlimits = make(map[string]uint64)
	}
	o.pool.Limits.Rlimits[name] = n
	return nil
}

func (o *options) oomScoreAdj() value {
	var n int
	return whole(&n, -1000, 1000).then(func() { o.pool.Limits.OOMScoreAdj = &n })
}

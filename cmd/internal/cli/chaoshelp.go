package cli

const chaosDescription = `Runs the plugin's tasks while workers are struck at random, and checks afterwards
that nothing was lost, doubled, harmed without a reason or left behind.

   brood chaos --plugin faulty
   brood chaos --plugin ./shouter --faults kill,stop --rate 50/s --duration 1m
   brood chaos --plugin ./shouter --config production.yaml
   brood chaos --plugin faulty --supervisor-kill --isolation pidns

kill, segv, abrt, term, int and stop are signals, start kills a worker and then its
replacement before it is ready: they work with any plugin. oom, hang, badframe and
flood are tasks (leak, hang, badframe, flood) that the plugin has to serve, as
faulty does. At most one stop in 2 s and one start in 10 s is made, and one oom, hang
and flood in 0.5 s, lest all workers are held at once.

Unless limits are given, a task may be tried and may lose its worker so often that
none gives up: every one must complete, but for those marked at_most_once, one in
ten, that were in a struck worker.

Recovery is the time from a strike until a replacement is ready, detection included.

With --supervisor-kill the supervisor is a process of its own that is killed with
SIGKILL at random moments. No worker may survive that; at the level pidns nothing
at all, at the level cgroup nothing after the next start.

The exit code is 1 if a promise was broken. The report then shows the evidence and
the command that repeats the strikes.

Options are set by variables and the config file as for run; keys of the file that
only run knows are ignored.`

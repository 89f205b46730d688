// Exec runs a command for each task and answers with what it printed.
//
// # Which command
//
// The arguments of the process are a template, filled in by each task whose
// payload is a JSON string, in the manner of GNU parallel:
//
//	brood run --plugin exec -- convert {} -resize 50% out/{/} < names
//
//	{}    the input                      pics/a.b.png
//	{.}   without its extension          pics/a.b
//	{/}   its base name                  a.b.png
//	{//}  its directory                  pics
//	{/.}  base name without extension    a.b
//
// A template without any of these gets the input as one more argument, as with
// xargs. A payload that is an array of strings is a command of its own, and so is
// an object {"argv": [...], "stdin": "...", "env": {"K": "v"}, "dir": "..."},
// of which argv alone is required; the template has no part in either.
//
// No shell reads any of it: spaces, quotes and semicolons in an input are just
// bytes of an argument. Who wants a shell says so, and hands the input over
// as a parameter rather than as program text:
//
//	brood run --plugin exec -- sh -c 'wc -l < "$1"' sh {}
//
// # What comes back
//
//	{"argv": ["wc", "-l", "a"], "exit_code": 0, "signal": "", "stdout": "3 a\n", "stderr": ""}
//
// Of stdout the first 1 MiB is kept, since who parses it starts at the top; of
// stderr the last 1 MiB, since the reason of a failure comes last. What is cut is
// marked by stdout_truncated or stderr_truncated; BROOD_EXEC_OUTPUT_LIMIT sets another limit in
// bytes. Output that is not UTF-8 comes as stdout_base64 or stderr_base64 instead.
//
// A non-zero exit code or a signal fails the attempt, with the last lines of
// stderr in its message, and is retried by the usual rule. A command that is not
// there or cannot be executed fails the task for good.
//
// A command sees the worker's environment, BROOD_TASK_ID and BROOD_EXEC, which
// marks its processes. Its stdin is /dev/null unless the payload gives one.
//
// # What stays behind
//
// Nothing. A command has a process group of its own. When its task is cancelled the group
// gets SIGTERM and two seconds later SIGKILL. However it ends, whatever is left of
// the group, and on Linux also whatever left the group, is killed before the task is
// answered. When the worker itself is killed the kernel kills the command; what that
// had started is the supervisor's to find.
//
// # Who owns what
//
// A runner is shared by all handlers; its mutex guards the table of running
// commands. A run starts its command, reads what it prints and waits for it on the
// handler's own goroutine, locked to its thread meanwhile; a goroutine that writes stdin
// is waited for. Elsewhere than on Linux two more read output.
package main

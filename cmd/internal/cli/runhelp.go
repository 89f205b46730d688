package cli

const runDescription = `Tasks come from the arguments (one task each, the argument is its payload) or as
JSON lines from --input or standard input. One JSON line for each task goes to
standard output or --output; messages and a closing summary go to stderr.

   brood run --plugin echo hello world
   brood run --plugin echo < tasks.jsonl > results.jsonl
   brood run --plugin thumbnail --workers 4 --hard-memory-limit 256MiB --input images.jsonl
   brood run --plugin exec -- gzip -k {} < names.txt

An input line has a payload, or payload_base64, or payload_file, and any of
id, task, priority, soft_timeout, hard_timeout, max_attempts, at_most_once,
expires and meta:

   {"id":"a1","task":"echo","payload":{"any":"JSON"},"hard_timeout":"5s"}

A line without an id is called line-N. A line that is malformed, too large or
repeats an id (found among the last half a million) fails with its number and
the reason; the others run.

After -- come the arguments of a plugin that takes a template, such as exec; then
each input line that does not begin with { is a payload of its own, as with
xargs. For other plugins, what comes after -- are tasks.

Each option may also be set by a variable (--max-attempts is BROOD_MAX_ATTEMPTS)
or in the YAML file that --config or BROOD_CONFIG names (max_attempts: 5). A flag
beats a variable, a variable beats the file. Durations are written 500ms, 30s or
1h30m; sizes 256MiB, 1GB or in bytes.

The first Ctrl-C lets running tasks finish and reports the rest as cancelled; the
second stops everything at once. Exit code: 0 all tasks completed, 1 some did
not, 2 wrong usage or configuration, 3 could not run (no worker came up, input
unreadable, output unwritable), 130 interrupted.`

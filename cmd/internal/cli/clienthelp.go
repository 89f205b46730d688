package cli

const submitHelp = `A task is an argument (its payload is that string, as with brood run), a payload
given by --payload or --payload-file, or a line of JSON from --input or standard
input. When an id is printed, its task survives the server.

   brood submit --task thumbnail --payload '{"src":"a.jpg","dst":"small.jpg"}'
   brood submit --task echo --wait hello world
   brood submit < tasks.jsonl > ids.txt
   brood submit --delay 1h --unique-key nightly --task report --payload null

A line has the keys of a line of brood run (payload, or payload_base64, or
payload_file, and id, task, priority, soft_timeout, hard_timeout, max_attempts,
at_most_once, expires, meta) and delay, at, unique_key, unique_ttl,
concurrency_key and concurrency_limit. The flags are for lines that do not say
otherwise. A malformed line is reported with its number; the others are sent.

Every task has its id before it is sent. If the connection is lost or the server
is full, the same tasks are sent again until --retry-for is over, and none is
stored twice.

Exit code: 0 all were accepted (and completed, with --wait), 1 some were not,
2 wrong usage, 3 no server, or one that is full, 130 interrupted.`

const waitHelp = `Prints the result of each task as it comes, one JSON line, as brood run does.
Interrupting it does nothing to the tasks. - reads the ids from standard input.

   brood wait 01981b1e-5a0c-7c3e-9d3a-0d7a8f0a5f10
   brood wait --timeout 1m ID ID ID
   brood submit < tasks.jsonl | brood wait -

Exit code: 0 all completed, 1 some did not, are unknown, or were not done in time,
2 wrong usage, 3 no server, 130 interrupted.`

const getHelp = `Says where a task stands, and its result if it has one.

   brood get 01981b1e-5a0c-7c3e-9d3a-0d7a8f0a5f10
   brood get --json ID | jq .state`

const cancelHelp = `A task that waits is cancelled at once. One that runs is asked to return, and its
worker is killed if it does not.

   brood cancel 01981b1e-5a0c-7c3e-9d3a-0d7a8f0a5f10`

const deadHelp = `Dead letters are tasks that did not make it: their attempts are used up, they ended
too many workers, or no server can run them. They stay until you decide.

   brood dead list
   brood dead show ID
   brood dead retry ID ...        brood dead retry --pool thumbnail
   brood dead purge ID ...        brood dead purge --all --yes`

const workersHelp = `Shows the worker processes of this server.

   brood workers
   brood workers --pool thumbnail --json
   brood workers recycle thumbnail-3`

const poolsHelp = `Shows the pools of this server and their queues. Queued, scheduled, leased and dead
are of all servers that share the work; workers, running and done are of this one.

   brood pools
   brood pools --json | jq -r 'select(.degraded) | .name'`

const eventsHelp = `Prints what happens to tasks and workers of this server until it is interrupted.

   brood events
   brood events --kind worker_exited --kind pool_degraded
   brood events --json | jq -c .fields`

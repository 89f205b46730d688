package cli

const serveDescription = `Serves tasks over the network, as gRPC and as JSON over HTTP, and keeps them in
files (or in NATS) until they are done: they survive the server, even a SIGKILL.

   brood serve --plugin thumbnail
   brood serve --config brood.yaml
   brood serve --config brood.yaml --nats nats://a,b,c

In a second terminal:

   brood submit --wait --payload '{"src":"a.jpg","dst":"small.jpg"}'
   brood workers
   brood dead list

A config file may have several pools; the tasks are routed by name. See "brood
config schema" for all keys, and "brood config check FILE" before you deploy. Each
option may also be set by a variable (--data-dir is BROOD_DATA_DIR). A flag beats a
variable, a variable beats the file; what concerns one pool is in the file alone.

The API listens on this machine only, unless it is told otherwise: any other
address needs TLS or --insecure, and tokens. Tokens come from files or variables,
never from the arguments, which everybody on the machine can read.

SIGTERM and SIGINT stop the server: what runs may finish within the grace period, and
the rest goes back to the queue. A second signal ends it at once. SIGHUP, like
brood reload, has it read the config file again and replace workers one by one
by such of the new settings and plugins.

Exit code: 0 stopped in order, 2 wrong usage or configuration, 3 could not run
(plugin, address or data directory cannot be used), 130 ended by a second signal.`

const serveConfigHelp = "--config FILE\tYAML FILE with the pools and settings of the server; or name it in BROOD_CONFIG"

package cli

const benchDescription = `Runs the plugin's tasks through the library as fast as it can and says how many a
second, how long each takes, and what a worker costs. Each row takes --duration.

   brood bench --plugin echo
   brood bench --plugin ./shouter --payload '"hello"' --workers 1,4,16
   brood bench --plugin exec -- /bin/true
   brood bench --plugin ./shouter --rate 5000      how many workers does that need?

All tasks have the same payload: a JSON string of --payload-size bytes, or
--payload. A task is tried once. Tasks that fail are counted and told, never
measured as if they had worked; the exit code is then 1.

--rate applies Little's law: workers = arrival rate x mean time in a worker / 0.8.

Options are set by variables and the config file as for run; keys of the file that
only run knows are ignored.`

package server

import "golang.org/x/sys/unix"

// connections is how many this process can have open and still start workers.
func connections() int {
	const most, least = 20_000, 100
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return least
	}
	return int(max(least, min(most, uint64(limit.Cur)/2)))
}

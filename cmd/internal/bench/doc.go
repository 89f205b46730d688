// Package bench is the load driver behind `brood bench` and `make bench`: it runs a
// plugin's tasks through the public API of package supervisor, as anybody could, and says
// how many a second, how long each took, and what a worker costs.
//
// A Rig is one started supervisor. One goroutine calls its methods, one after the
// other; a method may start goroutines of its own and has waited for them when it
// returns. They share nothing but the supervisor: each counts for itself, and the
// counts are added up at the end.
package bench

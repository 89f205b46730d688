// Package pool keeps the workers of one plugin: it starts them, watches their pulse, memory, age
// and idleness, replaces the worn out and the dead, and backs off when a plugin keeps
// dying.
//
// One goroutine, the loop, owns the members and every decision. Workers and lanes post
// messages to it, which never blocks; views for others are copied under a mutex.
package pool

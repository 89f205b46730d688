// Package pool keeps the workers of one plugin: it starts them, watches their pulse, memory, age
// and idleness, replaces the worn out and the dead, and backs off when a plugin keeps
// dying.
//
// Workers that were started with the same settings are a generation. A reload tries one worker of
// the next generation and, once that is ready, has the others replaced one by one; if it comes to
// nothing the generation before goes on, from the file it was started from.
//
// One goroutine, the loop, owns the members and every decision. Workers and lanes post
// messages to it, which never blocks; views for others are copied under a mutex.
package pool

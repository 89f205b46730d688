// Package dispatch gives the tasks of one pool to its workers and decides what
// follows from each attempt: answer, retry, dead letter.
//
// A Dispatcher has one mutex; it guards the queue, every Job and every Lane. A Lane
// is the dispatcher's side of one worker: what is in that worker's pipe, in the
// order it was written; slots, window and timeouts are those its worker was started with.
// Workers pull: a worker's writer calls Take, its reader
// calls Results. Nothing is called while the mutex is held: owners of finished
// jobs, workers and the pool are told after it is released. One goroutine, the
// clock, watches deadlines; it sleeps until the next one.
//
// Lock order: Lane.send, then Dispatcher.mu.
package dispatch

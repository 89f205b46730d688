// Package jetstream is a broker on NATS JetStream: on a server inside of this process by default, which
// opens no port and keeps everything under one directory, or on a remote server or cluster, which several
// brokers may share.
//
// A pool's queue is a stream from which a message is removed by its acknowledgement; a task is in it under
// a subject of its own, so that the server refuses a second one with the same id. Each level of priority is a
// consumer. A delivery is a lease; it is renewed by in-progress acknowledgements. A result is a message under
// a subject that takes one message only: whoever stores it first has ended the task, and only then is the task
// acknowledged. Dead letters, states between attempts, pauses and keys are messages in streams of their own;
// type names lists them all.
//
// Callers' goroutines do most of the work. Those of the package are: one for each subscription, which nats.go
// owns and Close ends; keep, which extends or gives back what was read ahead; lookAgain, which looks for
// results that were missed; mendLevels, which makes consumers again that a server has lost; that of keepTime,
// which handles what comes due, with some help that it waits for; one for each channel of Notices; and the
// engine's, which replaces a server that cannot write. pool.mu guards a pool and its pullers, publisher.mu what
// waits for answers, holdings.mu, waiters.mu and others.mu theirs. None is held while another package is called,
// except to write to a connection, which waits for nobody but the server.
package jetstream

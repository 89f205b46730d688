// Package conn holds both ends of the conversation that PROTOCOL.md describes, over any
// reader and writer: the supervisor's, and the worker's, which is Server.
//
// A Server owns one goroutine that reads frames, one a slot that runs handlers and
// one that beats. They share the queue of waiting tasks, behind its mutex, and the
// writer, behind another; a Job has a third. They are taken in the order writer,
// queue, Job. No goroutine and no timer exists per task.
package conn

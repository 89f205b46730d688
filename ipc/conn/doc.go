// Package conn holds both ends of the conversation that PROTOCOL.md describes, over any
// reader and writer: Client, the supervisor's, and Server, the worker's.
//
// A Client has no goroutines of its own: its owner runs its reading, its flushing and
// whatever sends.
//
// A Server owns a goroutine for each slot, which runs handlers and, while it has no task,
// reads frames; a lookout, which reads when all slots are busy for long; one that beats and
// one that ends that. Who reads is for the queue to say. They share the queue of waiting tasks,
// behind its mutex, and the writer, behind another; a Job has a third. They are taken in
// the order writer, queue, Job. No goroutine and no timer exists per task.
package conn

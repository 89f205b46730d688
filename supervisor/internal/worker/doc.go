// Package worker runs one worker process from launch to exit record.
//
// A Worker has these goroutines, all waited for before Done closes: run owns its
// life (launch, readiness, stopping, the record of its end); the reader
// takes frames from its pipe and brings answers to Tasks; the writer takes tasks
// from Tasks and writes them; two capture what it prints. Any goroutine may
// ask for its end; the first reason given is the one recorded. Whether it still lives is for
// its owner to ask, with Pulse.
//
// It is the only room that knows go-plugin, which does the handshake and nothing more.
package worker

// Faulty misbehaves on request, so that a supervisor can be shown what it is
// there for. Each task is one misbehaviour; payloads are JSON, and an empty one takes
// the defaults.
//
//	ok                                answers its payload, or {}
//	pid                               answers {"pid", "attempt"}
//	sleep      {"ms":1000}            waits; gives up when cancelled
//	spin       {"ms":1000}            burns CPU; does not notice a cancellation
//	hang                              blocks for ever, whatever happens
//	fail       {"message"}            fails
//	retry      {"succeed_on":2}       fails until that attempt
//	panic      {"message"}            panics
//	exit       {"code":1}             ends the process
//	signal     {"signal":"SEGV"}      dies of a signal, by name or number
//	stop                              stops the process with SIGSTOP
//	leak       {"mib_per_s":64,       takes memory at that rate, until killed or, with
//	            "hold_ms":0}          hold_ms, for so long; what it has it keeps
//	print      {"stdout","stderr",    writes each text as a line, that many times;
//	            "lines":1}            answers how many lines went where
//	flood                             writes to stdout without end
//	grandchild {"setsid":false,       leaves a sleeping process behind; answers {"pid"}
//	            "ms":60000}
//	badframe                          writes garbage into the pipe of the protocol
//
// The variable FAULTY_START makes it misbehave before it serves: exit, hang, garbage or slow.
//
// Each file holds one family. Handlers share nothing but the hoard (memory that leak
// keeps) and the nursery (processes that grandchild left), each with its mutex.
package main

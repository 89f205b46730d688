// Package child is what the author of a plugin imports: name some handlers, call
// Serve, and brood runs the program as many worker processes.
//
//	func main() {
//		p := child.New("greeter", child.Version("1.0"))
//		p.Handle("greet", func(ctx context.Context, payload []byte) ([]byte, error) {
//			return append([]byte("hello "), payload...), nil
//		})
//		p.Serve()
//	}
//
// What a handler returns is the task's result; an error makes the supervisor try again
// later, unless it is Permanent or says when with RetryAfter. A handler that panics
// has failed that attempt, with its stack; the worker lives on.
//
// A Plugin is set up by one goroutine, before Serve. Handlers run on as many
// goroutines as the worker has slots, one unless configured otherwise, and may
// print: stdout and stderr are captured and never disturb the protocol.
package child

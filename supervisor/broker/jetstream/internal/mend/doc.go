// Package mend looks at the files of an embedded server before it is started, and mends what is damaged so that the
// server keeps all that is not. Left to itself the server cuts a block of messages off where it finds the first one
// that is damaged, believes the state of a consumer whatever is in it, and does without a stream whose
// configuration it cannot read.
//
// The package owns the knowledge of how these files look, and the directory "damaged", where each file goes that was
// damaged, as it was. It changes no file in place, and none that it cannot read at all.
//
// Dir works on its caller's goroutine, with one more for a second block at a time, which it waits for. No server may run on
// the directory meanwhile.
package mend

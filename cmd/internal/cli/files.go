package cli

import (
	"io"
	"os"
)

// files are what a run reads and writes.
type files struct {
	input      *os.File // nil when the tasks are arguments
	output     *os.File
	deadLetter *os.File // nil without --dead-letter
	stdout     bool     // output is standard output, possibly shared
	stdin      bool
}

// openFiles opens everything before the first worker starts: a mistyped path
// should cost nothing. It empties nothing yet.
func openFiles(o *options, args bool, std Streams) (*files, error) {
	f := &files{stdout: o.output == "-", stdin: o.input == "-"}
	var err error
	if !args {
		f.input = std.In
		if !f.stdin {
			f.input, err = os.Open(o.input)
		}
		if err != nil {
			return nil, cannotRunf("input: %v", err)
		}
	}
	if f.output, err = openOutput("output", o.output, std.Out); err != nil {
		return nil, err
	}
	if o.deadLetter != "" {
		if f.deadLetter, err = openOutput("dead letters", o.deadLetter, std.Out); err != nil {
			return nil, err
		}
	}
	return f, f.distinct()
}

func openOutput(what, path string, std *os.File) (*os.File, error) {
	if path == "-" {
		return std, nil
	}
	mode := os.O_RDWR // --resume looks at what is there
	if info, err := os.Stat(path); err == nil && !info.Mode().IsRegular() {
		mode = os.O_WRONLY // a pipe or a device may not be for reading
	}
	f, err := os.OpenFile(path, mode|os.O_CREATE, 0o666)
	if err != nil {
		return nil, cannotRunf("%s: %v", what, err)
	}
	return f, nil
}

// distinct refuses to write to a file that is read, or twice to one.
func (f *files) distinct() error {
	if same(f.input, f.output) {
		return usageErrorf("--input and --output are the same file")
	}
	if same(f.input, f.deadLetter) {
		return usageErrorf("--input and --dead-letter are the same file: its tasks would be lost; write to another and rename it")
	}
	if same(f.output, f.deadLetter) {
		return usageErrorf("--output and --dead-letter are the same file")
	}
	return nil
}

// same compares regular files only: two ends of one terminal are fine.
func same(a, b *os.File) bool {
	if a == nil || b == nil {
		return false
	}
	x, err := a.Stat()
	if err != nil || !x.Mode().IsRegular() {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

// prepare makes the outputs ready for the first line: at the end of what
// --resume keeps, or empty.
func (f *files) prepare(keep int64) error {
	// Standard output is left as the shell opened it.
	if !f.stdout {
		if err := cut(f.output, keep); err != nil {
			return cannotRunf("output: %v", err)
		}
	}
	if f.deadLetter != nil {
		if err := cut(f.deadLetter, 0); err != nil {
			return cannotRunf("dead letters: %v", err)
		}
	}
	return nil
}

// cut shortens a regular file to size bytes and moves to its end. A pipe or a
// device has nothing to cut.
func cut(f *os.File, size int64) error {
	info, err := f.Stat()
	if err != nil || !info.Mode().IsRegular() {
		return err
	}
	if err := f.Truncate(size); err != nil {
		return err
	}
	_, err = f.Seek(size, io.SeekStart)
	return err
}

// close closes what nobody else owns. Outputs are closed by their sinks.
func (f *files) close() error {
	if f.input == nil || f.stdin {
		return nil
	}
	return f.input.Close()
}

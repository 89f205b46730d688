package event

import (
	"fmt"
	"time"
)

// File identifies a file and its state.
type File struct {
	Device, Inode     uint64
	Size              int64 // bytes
	Modified, Changed time.Time
}

// String says as much as a person wants to compare.
func (f File) String() string {
	return fmt.Sprintf("inode %d, %d bytes, modified %s", f.Inode, f.Size, f.Modified.Format(time.RFC3339Nano))
}

// PluginChanged: the file that a pool starts its workers from is not the one it was. Workers
// that run already are not touched.
type PluginChanged struct {
	Time     time.Time
	Pool     string
	Plugin   string // its path
	Old, New File
	Refused  bool // its checksum is wrong: no worker starts from it; otherwise new ones do
}

// When implements Event.
func (e PluginChanged) When() time.Time { return e.Time }

// Kind implements Event.
func (PluginChanged) Kind() string { return "plugin_changed" }

// String implements Event.
func (e PluginChanged) String() string {
	then := "new workers start from the new file, beside old ones from the file before"
	if e.Refused {
		then = "its checksum is wrong, so no worker starts from it"
	}
	return fmt.Sprintf("plugin %s of pool %s changed on disk (was %v; is %v): %s", e.Plugin, e.Pool, e.Old, e.New, then)
}

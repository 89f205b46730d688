package bench

import (
	"fmt"
	"runtime"
	"time"
)

// Machine names where figures come from: they mean nothing elsewhere.
type Machine struct {
	CPU    string    `json:"cpu"`
	Cores  int       `json:"cores"`
	System string    `json:"system"` // with the kernel's version
	Go     string    `json:"go"`
	Date   time.Time `json:"date"`
}

// ThisMachine describes the one it runs on.
func ThisMachine() Machine {
	return Machine{
		CPU: processor(), Cores: runtime.NumCPU(), System: kernel(),
		Go: runtime.Version(), Date: time.Now().UTC().Truncate(time.Second),
	}
}

// String is a line for people.
func (m Machine) String() string {
	return fmt.Sprintf("%s, %d cores, %s, %s, %s", m.CPU, m.Cores, m.System, m.Go, m.Date.Format("2006-01-02"))
}

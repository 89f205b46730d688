//go:build unix && !linux

package proc

import "errors"

// allowList cannot be made here.
type allowList struct{}

func (*allowList) String() string { return "" }

func (*allowList) enforce() error { return allowListSupport() }

func allowListSupport() error { return errors.New("this needs Landlock, which exists on Linux only") }

func (l Limits) allowed() (*allowList, error) { return nil, allowListSupport() }

func (c *Command) allowList() (*allowList, error) {
	if c.Limits.confinesFiles() {
		return nil, allowListSupport()
	}
	return nil, nil
}

// Gap has nothing to say: what does not work here is refused.
func (Limits) Gap() string { return "" }

// CheckNetwork refuses to take the network away: there are no network namespaces here.
func (l Limits) CheckNetwork() error {
	if l.NoNetwork {
		return errors.New("network namespaces exist on Linux only")
	}
	return nil
}

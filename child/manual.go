package child

import (
	"fmt"
	"strings"
)

// manual explains the plugin to a person who ran it by hand as program.
func (p *Plugin) manual(program string) string {
	name, task := p.name, ""
	if p.version != "" {
		name += " " + p.version
	}
	if len(p.handlers) != 1 {
		task = " --task NAME"
	}
	served := "nothing"
	if len(p.handlers) > 0 {
		served = strings.Join(p.tasks(), ", ")
	}
	return fmt.Sprintf(`%s is a brood plugin: it serves tasks to a supervisor and does nothing when run by hand.

Tasks it serves: %s

Run it with:
  brood run --plugin %s%s 'a payload' ...
`, name, served, program, task)
}

package cli

import (
	"strings"
	"testing"
)

func TestE2EDeadLettersOfAServer(t *testing.T) {
	s := startServer(t, "--plugin", "faulty", "--workers", "1", "--memory", "--max-attempts", "1")
	s.client("submit", "--wait", "--task", "fail", "--id", "f", "--payload", `{"why":"because"}`).run(exitIncomplete)
	s.client("submit", "--wait", "--task", "fail", "--id", "g", "--payload", "2").run(exitIncomplete)
	if out := s.client("dead", "list").run(exitOK).stdout.String(); strings.Count(out, "\n") != 3 || !strings.Contains(out, "\nf ") {
		t.Errorf("dead list printed %s", out)
	}
	if out := s.client("dead", "show", "f", "--json").run(exitOK).stdout.String(); !strings.Contains(out, `"payload":{"why":"because"}`) {
		t.Errorf("dead show printed %s", out)
	}
	s.client("dead", "show", "nosuch").run(exitIncomplete).says("nosuch")
	s.client("dead", "retry", "f", "nosuch").run(exitIncomplete).says("nosuch: ")
	s.client("wait", "f").run(exitIncomplete)
	s.client("dead", "purge", "--all").run(exitUsage).says("add --yes")
	s.client("dead", "purge", "g").run(exitOK)
	if out := s.client("dead", "purge", "--all", "--yes").run(exitOK).stdout.String(); out != "1 dead letter removed\n" {
		t.Errorf("dead purge printed %s", out)
	}
	if out := s.client("dead", "list", "--json").run(exitOK).stdout.String(); out != "" {
		t.Errorf("dead list printed %s", out)
	}
	s.stop()
}

package server_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	broodv1 "github.com/brood-run/brood/supervisor/api/v1"
)

// resident is this process's memory in bytes.
func resident(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	var kib int
	if _, err := fmt.Sscan(after, &kib); err != nil {
		t.Fatal(err)
	}
	return kib << 10
}

// Ten thousand callers that have asked once and keep their connections cost some memory, both ends
// of it in this process, and delay nobody.
func TestIdleClientsCostLittle(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	n := int(min(10_000, (limit.Cur-500)/2))
	cfg := config(t)
	s := start(t, cfg)
	before := resident(t)
	for range n {
		c, err := net.Dial("tcp", s.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := fmt.Fprint(c, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
			t.Fatal(err)
		}
		res, err := http.ReadResponse(bufio.NewReaderSize(c, 512), nil)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
	}
	each := (resident(t) - before) / n
	t.Logf("%d clients cost %d bytes each", n, each)
	if each > 160<<10 {
		t.Errorf("an idle client costs %d bytes", each)
	}
	if _, err := tasksOf(t, s).Submit(t.Context(), &broodv1.SubmitRequest{Task: "ok"}); err != nil {
		t.Error(err)
	}
}

package arch

import (
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// root is where the module begins.
const root = "../../.."

// TestImportLaw asks for two systems, because files for one alone import too.
func TestImportLaw(t *testing.T) {
	touchSources(t)
	var all []pkg
	for _, system := range []string{"linux", "darwin"} {
		all = append(all, list(t, system)...)
	}
	for _, breach := range check(all) {
		t.Error(breach)
	}
}

// touchSources looks at every folder, so that a cached result of this test is not
// used once a file has changed: what the go command reads for us is not counted.
func touchSources(t *testing.T) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil // removed while we looked
		}
		if err == nil && d.IsDir() && path != root && strings.HasPrefix(d.Name(), ".") {
			return fs.SkipDir
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// list asks the go command about all our packages. Packages that do not compile
// are listed too (-e): that is the compiler's business.
func list(t *testing.T, system string) []pkg {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-e",
		"-json=ImportPath,Name,Imports,TestImports,XTestImports,Deps", "./...")
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "GOOS="+system, "CGO_ENABLED=0")
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var pkgs []pkg
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		err := dec.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		pkgs = append(pkgs, p)
	}
	if !slices.ContainsFunc(pkgs, func(p pkg) bool { return p.ImportPath == module+"/cmd/internal/arch" }) {
		t.Fatalf("go list found %d packages, but not this one", len(pkgs))
	}
	return pkgs
}

// Each breach must be found and must name both sides.
func TestBreaches(t *testing.T) {
	own := func(path string) string { return module + "/" + path }
	for _, test := range []struct {
		from, imports string
		test          bool
		want          string // empty: lawful
	}{
		{"plugins/echo", own("child"), false, ""},
		{"plugins/echo", own("ipc"), false, "plugins/echo imports ipc: a plugin knows the SDK only (allowed: child)"},
		{"plugins/echo", own("supervisor"), false, "plugins/echo imports supervisor: "},
		{"plugins/echo", "golang.org/x/image/draw", false, "plugins/echo imports golang.org/x/image/draw: only plugins/thumbnail may"},
		{"plugins/thumbnail", "golang.org/x/image/draw", false, ""},
		{"child", own("ipc/conn"), false, ""},
		{"child", own("supervisor/task"), false, "child imports supervisor/task: "},
		{"child", "github.com/hashicorp/go-hclog", false, ""},
		{"child", "github.com/google/uuid", false, "child imports github.com/google/uuid: only supervisor may"},
		{"ipc/wire", "github.com/hashicorp/go-hclog", false, "ipc/wire imports github.com/hashicorp/go-hclog: "},
		{"ipc", own("ipc/wire"), false, "ipc imports ipc/wire: the contract is declarations only (allowed: nothing of ours)"},
		{"ipc/conn", own("child"), false, "ipc/conn imports child: "},
		{"supervisor", own("child"), false, "supervisor imports child: "},
		{"supervisor", own("cmd/internal/cli"), false, "supervisor imports cmd/internal/cli: "},
		{"supervisor", own("supervisor/internal/pool"), false, ""},
		{"supervisor/event", own("supervisor/task"), false, "supervisor/event imports supervisor/task: "},
		{"supervisor/internal/policy", own("supervisor/task"), false, "supervisor/internal/policy imports supervisor/task: "},
		{"supervisor/internal/proc", own("supervisor/internal/worker"), false, "supervisor/internal/proc imports supervisor/internal/worker: "},
		{"supervisor/internal/worker", own("supervisor/internal/pool"), false, "supervisor/internal/worker imports supervisor/internal/pool: "},
		{"supervisor/internal/pool", own("supervisor"), false, "supervisor/internal/pool imports supervisor: "},
		{"supervisor/internal/pool", "github.com/shirou/gopsutil/v3/process", false, "only supervisor/internal/proc may"},
		{"supervisor/internal/proc", "github.com/shirou/gopsutil/v3/process", false, ""},
		{"cmd/brood", own("supervisor"), false, "cmd/brood imports supervisor: "},
		{"cmd/internal/cli", "example.org/new", false, "cmd/internal/cli imports example.org/new: this library has no room"},
		{"cmd/internal/cli", "go.uber.org/goleak", false, "go.uber.org/goleak: this library is for tests only"},
		{"cmd/internal/cli", "go.uber.org/goleak", true, ""},
		{"ipc/wire", "pgregory.net/rapid", true, ""},
		{"ipc/wire", own("ipc/wire"), true, ""}, // an external test of its own package
		{"supervisor", own("child"), true, "a test of supervisor imports child: "},
		{"child", "github.com/hashicorp/go-plugin", true, "a test of child imports github.com/hashicorp/go-plugin: "},
		{"attic", "fmt", false, "attic is in no room"},
	} {
		p := pkg{ImportPath: own(test.from), Imports: []string{test.imports}}
		if test.test {
			p.Imports, p.XTestImports = nil, p.Imports
		}
		got := strings.Join(check([]pkg{p}), "\n")
		if (got == "") != (test.want == "") || !strings.Contains(got, test.want) {
			t.Errorf("%s imports %s: got %q, want %q", test.from, test.imports, got, test.want)
		}
	}
}

func TestHeavyPluginBinary(t *testing.T) {
	p := pkg{ImportPath: module + "/plugins/echo", Name: "main", Deps: []string{"fmt", module + "/child", "google.golang.org/grpc/codes"}}
	got := check([]pkg{p})
	if len(got) != 1 || got[0] != "the binary of plugins/echo contains google.golang.org/grpc/codes" {
		t.Errorf("got %q", got)
	}
}

// The table itself must not allow what it promises to forbid: a room only names
// rooms that come before it, or its own siblings under a star.
func TestLawOnlyPointsDown(t *testing.T) {
	for i, r := range rooms {
		for _, pattern := range r.may {
			for _, above := range rooms[i+1:] {
				if match(pattern, above.path) && !match(r.path, above.path) {
					t.Errorf("%s may import %s, which is above it", r.path, above.path)
				}
			}
		}
	}
}

package cli

import (
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

const pluginPrefix = "brood-plugin-"

// locatePlugin finds the program behind --plugin: a path if it has a slash, else
// a name that is looked up where home, the directory of the brood executable,
// and PATH may hold it.
func locatePlugin(plugin, home string) (string, error) {
	if strings.ContainsRune(plugin, filepath.Separator) {
		return plugin, nil
	}
	places := []string{
		filepath.Join(home, "plugins", plugin),
		filepath.Join(home, plugin),
	}
	for _, p := range places {
		if isFile(p) {
			return p, nil
		}
	}
	if p, err := exec.LookPath(pluginPrefix + plugin); err == nil {
		return p, nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "there is no plugin %q; looked for", plugin)
	for _, p := range places {
		fmt.Fprintf(&b, "\n  %s", p)
	}
	fmt.Fprintf(&b, "\n  %s%s on PATH", pluginPrefix, plugin)
	if isFile(plugin) {
		fmt.Fprintf(&b, "\nto use the file of that name here, write --plugin ./%s", plugin)
	}
	return "", fmt.Errorf("%s", b.String())
}

func isFile(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir()
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// home is the directory of the brood executable.
func home() (string, error) {
	exe, err := os.Executable()
	if err == nil {
		exe, err = filepath.EvalSymlinks(exe)
	}
	if err != nil {
		return "", cannotRunf("where is brood itself? %v", err)
	}
	return filepath.Dir(exe), nil
}

// foundPlugins lists the programs that names can stand for, sorted by path.
func foundPlugins(home string) []string {
	var found []string
	add := func(dir, prefix string) {
		entries, err := os.ReadDir(dir)
		if err != nil {
			return // a directory that is not there holds no plugins
		}
		for _, e := range entries {
			path := filepath.Join(dir, e.Name())
			if strings.HasPrefix(e.Name(), prefix) && e.Type()&fs.ModeDir == 0 && isProgram(path) {
				found = append(found, path)
			}
		}
	}
	add(filepath.Join(home, "plugins"), "")
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			add(dir, pluginPrefix)
		}
	}
	slices.Sort(found)
	return slices.Compact(found)
}

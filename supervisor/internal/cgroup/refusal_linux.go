package cgroup

import (
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"syscall"
)

// refusals are the hierarchies that cannot be used, by reason: mostly it is one for all.
type refusals struct {
	reasons []string
	names   map[string][]string
}

func (r *refusals) add(name string, err error) {
	why := explain(err)
	if r.names == nil {
		r.names = map[string][]string{}
	}
	if len(r.names[why]) == 0 {
		r.reasons = append(r.reasons, why)
	}
	r.names[why] = append(r.names[why], name)
}

// err is all of it in one line, nil if there is nothing to say.
func (r *refusals) err() error {
	if len(r.reasons) == 0 {
		return nil
	}
	var all []string
	for _, why := range r.reasons {
		all = append(all, fmt.Sprintf("%s (%s)", why, strings.Join(r.names[why], ", ")))
	}
	return errors.New(strings.Join(all, "; "))
}

// explain says what to do about it.
func explain(err error) string {
	switch {
	case errors.Is(err, syscall.EROFS):
		return "the cgroup file system is read-only: give the container a writable one"
	case errors.Is(err, fs.ErrPermission):
		return "this user may not make cgroups: run as root, or with a delegated cgroup, " +
			"for example under systemd-run --user --scope -p Delegate=yes"
	}
	return err.Error()
}

package proc

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"syscall"
)

// credential looks User and Group up; nil when the process runs as we do.
func (l Limits) credential() (*syscall.Credential, error) {
	if l.User == "" && l.Group == "" {
		return nil, nil
	}
	root := os.Geteuid() == 0
	c := &syscall.Credential{
		Uid:         uint32(os.Getuid()),
		Gid:         uint32(os.Getgid()),
		NoSetGroups: !root || l.User == "", // with a user of its own it must not keep root's groups
	}
	if l.User != "" {
		if err := setUser(c, l.User, l.Group != ""); err != nil {
			return nil, err
		}
	}
	if l.Group != "" {
		gid, err := groupID(l.Group)
		if err != nil {
			return nil, err
		}
		c.Gid = gid
	}
	if !root && (int(c.Uid) != os.Getuid() || int(c.Gid) != os.Getgid()) {
		return nil, fmt.Errorf("running workers as user %q, group %q needs root", l.User, l.Group)
	}
	return c, nil
}

// setUser fills in the user's ids and supplementary groups. A number that the user
// database does not know is a user without groups, so one must have been given.
func setUser(c *syscall.Credential, name string, hasGroup bool) error {
	u, err := user.Lookup(name)
	if err != nil {
		u, err = user.LookupId(name)
	}
	if err != nil {
		if c.Uid, err = number(name); err != nil {
			return fmt.Errorf("there is no user %q", name)
		}
		if !hasGroup {
			return fmt.Errorf("user %s is not in the user database: give its group too", name)
		}
		return nil
	}
	if c.Uid, err = number(u.Uid); err != nil {
		return fmt.Errorf("user %q: %w", name, err)
	}
	if c.Gid, err = number(u.Gid); err != nil {
		return fmt.Errorf("user %q: %w", name, err)
	}
	ids, err := u.GroupIds()
	if err != nil {
		return fmt.Errorf("cannot look up the groups of user %q: %w", name, err)
	}
	for _, id := range ids {
		gid, err := number(id)
		if err != nil {
			return fmt.Errorf("user %q: %w", name, err)
		}
		c.Groups = append(c.Groups, gid)
	}
	return nil
}

func groupID(name string) (uint32, error) {
	if g, err := user.LookupGroup(name); err == nil {
		return number(g.Gid)
	}
	gid, err := number(name)
	if err != nil {
		return 0, fmt.Errorf("there is no group %q", name)
	}
	return gid, nil
}

func number(id string) (uint32, error) {
	n, err := strconv.ParseUint(id, 10, 32)
	return uint32(n), err
}

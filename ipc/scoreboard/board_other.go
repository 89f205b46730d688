//go:build !linux

package scoreboard

import (
	"errors"
	"os"
)

// Create returns errors.ErrUnsupported: both sides do without a page.
func Create() (*Board, *os.File, error) { return nil, nil, errors.ErrUnsupported }

// Open returns errors.ErrUnsupported.
func Open(*os.File) (*Board, error) { return nil, errors.ErrUnsupported }

// Close does nothing.
func (b *Board) Close() error { return nil }

func unread(uintptr) (uint64, bool) { return 0, false }

type unreadPoll struct{}

func pollUnread(...uintptr) *unreadPoll { return nil }

func (*unreadPoll) empty() bool { return false }
func (*unreadPoll) close()      {}

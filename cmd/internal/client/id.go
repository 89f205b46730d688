package client

import "github.com/google/uuid"

// NewID returns an id for a task, a version 7 UUID: a task that has its id before it is sent can be sent
// again without being stored twice.
func NewID() string { return uuid.Must(uuid.NewV7()).String() }

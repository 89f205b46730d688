// Package task holds the nouns of brood: Task, Attempt, Result and the states a
// task passes through. It has no behaviour beyond validation and the transition
// table, imports no other room and may be imported by all. Values belong to
// whoever holds them; nothing here is shared between goroutines.
package task

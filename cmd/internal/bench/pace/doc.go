// Package pace lets work fall due at a steady rate, for whoever is measured under a
// load that does not wait for answers. It starts no goroutine.
package pace

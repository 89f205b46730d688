// Echo is the model plugin: its one task returns its payload untouched.
//
// It owns no state; the handler may run on any number of goroutines at once.
package main

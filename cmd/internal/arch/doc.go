// Package arch holds no code, only a test of the house's import law: who may
// import whom, and which one room each third-party library lives in. The law is the
// two tables in law_test.go; a new room or a new library needs a line there.
package arch

// Package brokertest is the suite that every broker.Broker passes: Run asks for each sentence of
// the contract, by what a caller can see alone.
//
// It does not depend on how fast anything is: it waits by blocking in the broker's own calls, as
// long as that takes within a minute, and compares times only in the direction in which a slow
// machine cannot be wrong. Goroutines that a test starts end before it does.
package brokertest

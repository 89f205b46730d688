// Command table prints what `make bench` promises: one table, everything measured
// in the same run, brood beside the limit of the machine and what people use
// instead. Each group of rows is measured in rounds, one contestant after the other in
// each, so that noise hits them all; a cell is the median of its rounds.
//
// One goroutine measures; nothing else runs meanwhile.
package main

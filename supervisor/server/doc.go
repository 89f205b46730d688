// Package server is brood as a service: a supervisor whose tasks a broker keeps, and the API that
// submits them and looks after them, at one address. `brood serve` is this package with a
// configuration file.
//
// A Server starts one goroutine that accepts connections and ends with Stop.
package server

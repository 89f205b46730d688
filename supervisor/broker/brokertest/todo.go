package brokertest

var uniqueTests []test
var concurrencyTests []test
var ledgerTests []test
var cancelTests []test
var poolTests []test
var deadTests []test
var closeTests []test
var durableTests []test
var sharedTests []test
var outageTests []test
var modelTests []test

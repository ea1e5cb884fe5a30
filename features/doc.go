// Package features states what the stores promise: one small interface a concern,
// with its contract in prose. The conformance suite in storetest runs that prose on
// every store. What is true about a customer is a set of bitemporal cells (cell.go);
// how cells become the profile that the matcher reads is one pure function (fold.go),
// the same for every store, for an online read and for a read as of years ago.
package features

// Package dataset reads and writes the CSV files that a bank hands over: products,
// NAVs, customers and what they did (docs/dataset.md). Readers are strict and stream:
// whatever is wrong is an *Error that names file, line, column, value and what was
// expected, and memory does not grow with a line, a field or an unpacked gzip file.
// Writers write nothing that the readers would refuse.
package dataset

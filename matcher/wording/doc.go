// Package wording holds every sentence that fundmatch says to a customer or a
// manager, and the linter that no such sentence may fail.
//
// Two jobs share one set of rules:
//
//   - [Linter] reads sales text a line at a time against the text rules of the
//     rule book (W01-W10, S06, C09). The rules are data: rules/*.yaml.
//   - [Templates] compiles the zh-CN sentences of templates/*.yaml, strictly: a
//     sentence that the linter flags, a figure that was typed in, or a slot of an
//     unknown type does not compile. Rendering appends to the caller's buffer and
//     never leaves a hole in a sentence.
//
// The package is pure: no clock, no network, no model, no state that a call
// changes. A [Linter] and a [Templates] may be used from many goroutines.
package wording

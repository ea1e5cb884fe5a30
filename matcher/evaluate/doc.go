// Package evaluate measures lists of products against what turned out to be wanted:
// ranking measures whose variants are named options, and intervals by a bootstrap over
// customers. It is pure: the same input gives the same bits, whatever the worker count.
package evaluate

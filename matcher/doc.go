// Package matcher matches a customer with the head office's pool. Compile turns one pool
// revision, one model and one rule pack into an immutable Core; Match answers from it
// without I/O, lock or clock: same input, same bytes. It is pure: it imports its stages
// and nothing that talks to the world.
package matcher

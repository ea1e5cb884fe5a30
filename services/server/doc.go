// Package server puts the services on the network: gRPC, REST in the same process, and a
// listener for operations. Every call of either transport goes through one interceptor
// chain (chain.go) and every error through one table (errors.go). It starts, says when it
// is ready, and drains; what the answers are is not its business.
package server

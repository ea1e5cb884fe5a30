//go:build !race

package server

// loadRequests is how many requests the load sends.
const loadRequests = 10_000

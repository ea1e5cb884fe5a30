//go:build !race

package server

// loadRequests is how many requests the load sends.
const loadRequests = 10_000

// swapRounds is how often TestSwapUnderLoad swaps.
const swapRounds = 100

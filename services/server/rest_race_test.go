//go:build race

package server

// loadRequests is less than without the race detector, which makes each six times slower.
const loadRequests = 3_000

// swapRounds is how often TestSwapUnderLoad swaps.
const swapRounds = 30

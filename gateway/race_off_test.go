//go:build !race

package gateway_test

// raced says that the race detector keeps notes of its own in our memory.
const raced = false

// crowdSize is how many requests wait at once.
const crowdSize = 2000

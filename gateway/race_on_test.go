//go:build race

package gateway_test

// raced says that the race detector keeps notes of its own in our memory.
const raced = true

// crowdSize is how many requests wait at once: as many as such a program can
// begin before the first have waited for long enough.
const crowdSize = 200

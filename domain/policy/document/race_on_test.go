//go:build race

package document_test

// slower is how much more time and memory everything takes with the race
// detector.
const slower = 4

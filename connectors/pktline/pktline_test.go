package pktline_test

import "fmt"

// packet puts its length in front of a line.
func packet(line string) string { return fmt.Sprintf("%04x%s", len(line)+4, line) }

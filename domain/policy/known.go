package policy

import "strings"

// HasParam reports whether key is one of names, which are what actions show:
// one that ends in ".*" stands for every longer one.
func HasParam(names []string, key string) bool {
	for _, name := range names {
		if prefix, open := strings.CutSuffix(name, "*"); name == key || open && strings.HasSuffix(prefix, ".") && len(key) > len(prefix) && strings.HasPrefix(key, prefix) {
			return true
		}
	}
	return false
}

package main

import "runtime/debug"

// release is set by the linker of a release.
var release = ""

// version says which program this is.
func version() string {
	if release != "" {
		return release
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

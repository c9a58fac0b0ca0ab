package main

import "runtime/debug"

// version is set by the linker.
var version = ""

// programVersion says which program this is.
func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(devel)"
}

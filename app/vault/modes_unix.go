//go:build unix

package vault

const modesMeanNothing = false

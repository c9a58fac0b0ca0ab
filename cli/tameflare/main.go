// Command tameflare is the command line.
package main

import (
	"context"
	"os"
	"time"

	"github.com/tameflare/tameflare/cli"
	"github.com/tameflare/tameflare/cli/console"
)

// version is set when the program is built for a release.
var version = "dev"

func main() {
	program, err := os.Executable()
	if err != nil {
		program = os.Args[0]
	}
	code, by := cli.Main(context.Background(), &console.Console{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Environ: os.Environ(), Program: program, Version: version, Now: time.Now,
	}, os.Args[1:])
	if by != 0 {
		die(by) // as the command did, so that a shell sees the same
	}
	os.Exit(code)
}

// Command tameflare-server is the control plane: the dashboard, the API, and
// the port that gateways connect to.
package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends at once
	p := program{getenv: os.Getenv, stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr}
	os.Exit(p.run(ctx, os.Args[1:]))
}

// program is what a process has of the outside world.
type program struct {
	getenv         func(string) string
	stdin          io.Reader
	stdout, stderr io.Writer
}

const (
	exitFailure = 1
	exitUsage   = 2
)

// run does what args say and returns the exit code.
func (p program) run(ctx context.Context, args []string) int {
	if len(args) == 0 {
		args = []string{"serve"}
	}
	verb := args[0]
	if len(args) > 1 && (verb == "user" || verb == "token") {
		verb, args = verb+" "+args[1], args[1:]
	}
	switch verb {
	case "serve":
		return p.serve(ctx, args[1:])
	case "user add":
		return p.addUser(ctx, args[1:])
	case "token add":
		return p.addToken(ctx, args[1:])
	case "version", "--version", "-v":
		fmt.Fprintln(p.stdout, "tameflare-server "+programVersion())
		return 0
	case "help", "--help", "-h":
		p.help(p.stdout)
		return 0
	}
	fmt.Fprintf(p.stderr, "tameflare-server: there is no command %q.\n\n", verb)
	p.help(p.stderr)
	return exitUsage
}

func (p program) help(w io.Writer) {
	fmt.Fprint(w, `tameflare-server is TameFlare's control plane: dashboard, API and the gateways' port.

Usage:
  tameflare-server [serve]
      serve until stopped; nothing has to be set up before
  tameflare-server user add --email E --password-stdin [--role owner|admin|member|viewer] [--name N]
      add an account, by default a member's; the first one is to be the owner's
  tameflare-server token add --email E [--name N] [--ttl 24h]
      make a token for the command line, and print it on stdout
  tameflare-server version
  tameflare-server help

user add and token add work on the database directly. With SQLite they need the
server to be stopped.

The configuration is the environment; everything else is set in the dashboard:
`)
	for _, v := range variables {
		fmt.Fprintf(w, "  %s\n      %s (default: %s)\n", v.name, v.help, v.preset)
	}
}

// Tameflare-gateway runs a gateway by itself, on servers and in containers. On
// a laptop the tameflare command does the same.
package main

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/tameflare/tameflare/domain/fault"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends at once
	debug.SetGCPercent(50)       // it mostly waits: memory counts more than a little work
	os.Exit(run(ctx, os.Args[1:], os.Getenv, os.Stdin, os.Stdout, os.Stderr))
}

// run is main with everything that it touches as an argument.
func run(ctx context.Context, args []string, getenv func(string) string, in io.Reader, out, talk io.Writer) int {
	c, err := parse(args, getenv, talk)
	if err != nil {
		if c.help {
			return 0
		}
		fmt.Fprintln(talk, "tameflare-gateway:", err)
		return 2
	}
	log := slog.New(slog.NewJSONHandler(talk, &slog.HandlerOptions{Level: c.level}))
	switch c.verb {
	case "version":
		fmt.Fprintln(out, "tameflare-gateway", programVersion())
	case "enrol":
		err = enrol(ctx, c, in, out)
	default:
		err = serve(ctx, c, log)
	}
	if err != nil {
		log.Error("stopped", "error", err)
		fmt.Fprintln(talk, "tameflare-gateway:", fault.Message(err))
		return 1
	}
	return 0
}

// version is set by the linker; otherwise the module's counts.
var version string

func programVersion() string {
	if version != "" {
		return version
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "devel"
}

package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/credential"
)

// settings are the command line and the environment, flags first.
type settings struct {
	verb       string
	help       bool
	state      string
	connectTo  []string
	upstreamCA string
	token      string // where an enrolment is read from: "-" or a file
	enrolment  credential.Secret
	idle       time.Duration
	level      slog.Level
	runtimeEnv func(string) string
}

const usage = `Usage:
  tameflare-gateway [flags]                 run the gateway
  tameflare-gateway enrol --token - [flags] make this machine a gateway
  tameflare-gateway version

Flags:
`

const after = `
An enrolment is what "tameflare gateway enrolment" prints: one JSON object
with token, link_url and root_pem. It is read from standard input, from a
file, or from TAMEFLARE_ENROL, and it can be used once.

Environment:
  TAMEFLARE_STATE, TAMEFLARE_CONNECT_TO, TAMEFLARE_UPSTREAM_CA, TAMEFLARE_ENROL, LOG_LEVEL
`

// list collects a flag that may be given several times.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func parse(args []string, getenv func(string) string, talk io.Writer) (settings, error) {
	c := settings{runtimeEnv: getenv, enrolment: credential.NewSecret(getenv("TAMEFLARE_ENROL"))}
	if len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		c.verb, args = args[0], args[1:]
	}
	switch c.verb {
	case "", "enrol", "version":
	default:
		return c, fmt.Errorf("there is no command %q; see tameflare-gateway --help", c.verb)
	}
	var connectTo list
	flags := flag.NewFlagSet("tameflare-gateway", flag.ContinueOnError)
	flags.SetOutput(talk)
	flags.Usage = func() {
		fmt.Fprint(talk, usage)
		flags.PrintDefaults()
		fmt.Fprint(talk, after)
	}
	flags.StringVar(&c.state, "state", stateDir(getenv), "the gateway's own `directory`")
	flags.Var(&connectTo, "connect-to", "`HOST:PORT:ADDR:PORT`: go to another address for a destination, as in curl; may be repeated")
	flags.StringVar(&c.upstreamCA, "upstream-ca", getenv("TAMEFLARE_UPSTREAM_CA"), "PEM `file` of roots to trust upstream besides the system's")
	flags.StringVar(&c.token, "token", "", "where the enrolment is: - for standard input, or a `file`")
	flags.DurationVar(&c.idle, "idle", 0, "end after so long without a run; 0 is never")
	switch err := flags.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		c.help = true
		return c, err
	case err != nil:
		return c, err
	case flags.NArg() > 0:
		return c, fmt.Errorf("%q is one argument too many", flags.Arg(0))
	case c.token != "" && c.verb != "enrol":
		return c, errors.New("--token belongs to enrol")
	case c.state == "":
		return c, errors.New("name the gateway's directory with --state")
	}
	c.connectTo = connectTo
	if env := getenv("TAMEFLARE_CONNECT_TO"); len(c.connectTo) == 0 && env != "" {
		c.connectTo = []string{env}
	}
	if text := getenv("LOG_LEVEL"); text != "" {
		if err := c.level.UnmarshalText([]byte(text)); err != nil {
			return c, fmt.Errorf("LOG_LEVEL is debug, info, warn or error, not %q", text)
		}
	}
	return c, nil
}

func stateDir(getenv func(string) string) string {
	if dir := getenv("TAMEFLARE_STATE"); dir != "" {
		return dir
	}
	if base := getenv("XDG_STATE_HOME"); filepath.IsAbs(base) {
		return filepath.Join(base, "tameflare", "gateway")
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "tameflare", "gateway")
	}
	return ""
}

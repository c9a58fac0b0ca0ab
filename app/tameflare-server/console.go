package main

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/accounts"
	"github.com/tameflare/tameflare/app/store"
	"github.com/tameflare/tameflare/app/vault"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/team"
)

// addUser is the command "user add".
func (p program) addUser(ctx context.Context, args []string) int {
	f := p.flags("user add")
	email := f.String("email", "", "e-mail address to sign in with")
	name := f.String("name", "", "name that others see")
	role := f.String("role", string(team.RoleMember), "owner, admin, member or viewer")
	stdin := f.Bool("password-stdin", false, "read the password from stdin")
	if code, ok := p.parse(f, args); !ok {
		return code
	}
	if *email == "" || !*stdin {
		return p.misused(f, "give --email, and the password on stdin with --password-stdin")
	}
	password, err := readPassword(p.stdin)
	if err != nil {
		return p.failed(err)
	}
	return p.withAccounts(ctx, func(s *accounts.Service) error {
		u, err := s.AddUser(ctx, accounts.NewUser{Email: *email, Name: *name, Role: team.Role(*role), Password: password})
		if err == nil {
			fmt.Fprintf(p.stderr, "Added %s as %s.\n", u.Email, *role)
		}
		return err
	})
}

// addToken is the command "token add". The token is all it prints on stdout,
// so that a script can take it from there.
func (p program) addToken(ctx context.Context, args []string) int {
	f := p.flags("token add")
	email := f.String("email", "", "whose token it is")
	name := f.String("name", "made on the server", "what the token is called in lists")
	ttl := f.Duration("ttl", 90*24*time.Hour, "how long it is good for, at most 2160h")
	if code, ok := p.parse(f, args); !ok {
		return code
	}
	if *email == "" {
		return p.misused(f, "give --email")
	}
	return p.withAccounts(ctx, func(s *accounts.Service) error {
		secret, t, err := s.NewTokenFor(ctx, *email, *name, *ttl)
		if err != nil {
			return err
		}
		fmt.Fprintf(p.stderr, "Token %s of %s is good until %s. It is shown this once.\n", t.ID, *email, t.ExpiresAt.Format("2006-01-02"))
		fmt.Fprintln(p.stdout, secret.Reveal())
		return nil
	})
}

// withAccounts opens what the commands need, and no more.
func (p program) withAccounts(ctx context.Context, do func(*accounts.Service) error) int {
	c, err := LoadConfig(p.getenv)
	if err != nil {
		return p.failed(err)
	}
	log := newLog(c, p.stderr)
	st, master, err := open(ctx, c, log)
	if err != nil {
		return p.failed(err)
	}
	defer st.Close()
	if err := do(&accounts.Service{Store: st, Keys: master, Now: time.Now, Log: log}); err != nil {
		return p.failed(err)
	}
	return 0
}

// open opens the master key and the store.
func open(ctx context.Context, c Config, log *slog.Logger) (*store.Store, vault.Master, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, vault.Master{}, fmt.Errorf("make data directory: %w", err)
	}
	// The database first: a second process is to hear that it is the second,
	// and not to make a key.
	st, err := store.Open(ctx, c.DatabaseURL.Reveal())
	if err != nil {
		return nil, vault.Master{}, err
	}
	master, origin, err := vault.OpenMaster(c.DataDir, c.MasterKey)
	if err != nil {
		st.Close()
		return nil, vault.Master{}, err
	}
	if origin.Made {
		log.WarnContext(ctx, "a master key was made; whoever loses it loses everything in the vault, so keep a copy in a safe place", "file", filepath.Clean(origin.Path))
	}
	return st, master, nil
}

func readPassword(r io.Reader) (credential.Secret, error) {
	line, err := bufio.NewReader(io.LimitReader(r, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return credential.Secret{}, fmt.Errorf("read password: %w", err)
	}
	return credential.NewSecret(strings.TrimRight(line, "\r\n")), nil
}

func (p program) flags(name string) *flag.FlagSet {
	f := flag.NewFlagSet("tameflare-server "+name, flag.ContinueOnError)
	f.SetOutput(p.stderr)
	return f
}

func (p program) parse(f *flag.FlagSet, args []string) (code int, ok bool) {
	switch err := f.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return 0, false
	case err != nil:
		return exitUsage, false // f has said why
	case f.NArg() > 0:
		return p.misused(f, fmt.Sprintf("%q is too much", f.Arg(0))), false
	}
	return 0, true
}

func (p program) misused(f *flag.FlagSet, why string) int {
	fmt.Fprintf(p.stderr, "%s: %s.\n", f.Name(), why)
	f.Usage()
	return exitUsage
}

// failed says what went wrong: the sentence of a fault, and everything of what
// is nobody's fault but this machine's, since who reads it runs the server.
func (p program) failed(err error) int {
	if fault.Of(err) != fault.Internal {
		fmt.Fprintln(p.stderr, "tameflare-server: "+fault.Message(err))
	} else {
		fmt.Fprintln(p.stderr, "tameflare-server: "+err.Error())
	}
	return exitFailure
}

func newLog(c Config, w io.Writer) *slog.Logger {
	opts := &slog.HandlerOptions{Level: c.LogLevel}
	if c.JSONLog {
		return slog.New(slog.NewJSONHandler(w, opts))
	}
	return slog.New(slog.NewTextHandler(w, opts))
}

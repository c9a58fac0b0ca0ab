// Package account remembers which server the user is signed in to, and the
// token for it.
//
// The token is in the keyring of the desktop where there is one, and otherwise
// in a file that only the user can read.
package account

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"github.com/zalando/go-keyring"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

// Store is where it is remembered.
type Store struct {
	Dir    string // made with mode 0700 when something is written
	Getenv func(string) string
}

const (
	settingsFile = "config.json"
	tokensFile   = "tokens.json"
	service      = "tameflare"
	ringTime     = 3 * time.Second // a keyring that asks nobody can wait for ever
)

type settings struct {
	Host string `json:"host,omitempty"` // signed in to last
}

// Host returns the server to talk to: override, TAMEFLARE_HOST, or the one that
// the user signed in to last. It fails with fault.Unauthenticated where there
// is none of these.
func (s Store) Host(override string) (string, error) {
	for _, host := range []string{override, s.Getenv("TAMEFLARE_HOST")} {
		if host != "" {
			return ParseHost(host)
		}
	}
	var saved settings
	if err := s.read(settingsFile, &saved); err != nil {
		return "", err
	}
	if saved.Host == "" {
		return "", fault.New(fault.Unauthenticated, "You are not signed in to a server. Run: tameflare login --host https://YOUR-SERVER", nil)
	}
	return ParseHost(saved.Host)
}

// ParseHost returns the one spelling of a server's address. A name without a
// scheme is meant with https.
func ParseHost(text string) (string, error) {
	if !strings.Contains(text, "://") {
		text = "https://" + text
	}
	u, err := url.Parse(strings.TrimSpace(text))
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || strings.Trim(u.Path, "/") != "" {
		return "", fault.New(fault.Invalid, "A server's address is like https://flare.example.com, with nothing behind the name and port.", nil)
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

// Plain reports whether what is said to host can be read on the way.
func Plain(host string) bool {
	u, err := url.Parse(host)
	if err != nil || u.Scheme == "https" {
		return false
	}
	ip := net.ParseIP(u.Hostname())
	return u.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback())
}

// Token returns the token for host: TAMEFLARE_TOKEN, or the one that login has
// kept. It fails with fault.Unauthenticated where there is none, and with
// fault.Forbidden where others could read the file that it is in.
func (s Store) Token(host string) (credential.Secret, error) {
	if token := strings.TrimSpace(s.Getenv("TAMEFLARE_TOKEN")); token != "" {
		return credential.NewSecret(token), nil
	}
	if s.hasRing() {
		if token, err := ring(func() (string, error) { return keyring.Get(service, host) }); err == nil && token != "" {
			return credential.NewSecret(token), nil
		}
	}
	tokens := map[string]string{}
	if err := s.read(tokensFile, &tokens); err != nil {
		return credential.Secret{}, err
	}
	if tokens[host] == "" {
		return credential.Secret{}, fault.New(fault.Unauthenticated, "You are not signed in to "+host+". Run: tameflare login --host "+host, nil)
	}
	return credential.NewSecret(tokens[host]), nil
}

// Use remembers that host is the server to talk to.
func (s Store) Use(host string) error { return s.write(settingsFile, settings{Host: host}) }

// Save remembers that the user is signed in to host. Where says in words where
// the token is.
func (s Store) Save(host string, token credential.Secret) (where string, err error) {
	if err := s.Use(host); err != nil {
		return "", err
	}
	if s.hasRing() {
		_, err := ring(func() (string, error) { return "", keyring.Set(service, host, token.Reveal()) })
		if err == nil {
			return "the keyring", s.forget(host)
		}
	}
	tokens := map[string]string{}
	if err := s.read(tokensFile, &tokens); err != nil {
		return "", err
	}
	tokens[host] = token.Reveal()
	return filepath.Join(s.Dir, tokensFile), s.write(tokensFile, tokens)
}

// Remove forgets the token for host.
func (s Store) Remove(host string) error {
	if s.hasRing() {
		_, err := ring(func() (string, error) { return "", keyring.Delete(service, host) })
		if err != nil && !errors.Is(err, keyring.ErrNotFound) && !errors.Is(err, errRing) {
			return fmt.Errorf("forget token: %w", err)
		}
	}
	return s.forget(host)
}

func (s Store) forget(host string) error {
	tokens := map[string]string{}
	if err := s.read(tokensFile, &tokens); err != nil || tokens[host] == "" {
		return err
	}
	delete(tokens, host)
	return s.write(tokensFile, tokens)
}

// hasRing reports whether there is a keyring that can be asked without
// starting something.
func (s Store) hasRing() bool {
	if s.Getenv("TAMEFLARE_NO_KEYRING") != "" {
		return false
	}
	return runtime.GOOS == "darwin" || runtime.GOOS == "windows" || s.Getenv("DBUS_SESSION_BUS_ADDRESS") != ""
}

var errRing = errors.New("the keyring does not answer")

func ring(do func() (string, error)) (string, error) {
	type answer struct {
		text string
		err  error
	}
	done := make(chan answer, 1)
	go func() {
		text, err := do()
		done <- answer{text, err}
	}()
	select {
	case a := <-done:
		return a.text, a.err
	case <-time.After(ringTime):
		return "", errRing
	}
}

func (s Store) read(name string, v any) error {
	path := filepath.Join(s.Dir, name)
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return fmt.Errorf("read settings: %w", err)
	}
	if name == tokensFile && info.Mode().Perm()&0o077 != 0 {
		return fault.New(fault.Forbidden, "Others can read "+path+", which holds your token. Run: chmod 600 "+path+" and tameflare logout, then login again.", nil)
	}
	if err := json.NewDecoder(f).Decode(v); err != nil {
		return fault.New(fault.Invalid, "The file "+path+" cannot be read. Remove it and run tameflare login.", err)
	}
	return nil
}

// write replaces a file as a whole.
func (s Store) write(name string, v any) error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	if err := os.Chmod(s.Dir, 0o700); err != nil { //nolint:gosec // a directory needs its x
		return fmt.Errorf("write settings: %w", err)
	}
	f, err := os.CreateTemp(s.Dir, "."+name+".*") // 0600
	if err != nil {
		return fmt.Errorf("write settings: %w", err)
	}
	enc := json.NewEncoder(f)
	enc.SetIndent("", "  ")
	err = errors.Join(enc.Encode(v), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.Dir, name))
	}
	if err != nil {
		return errors.Join(fmt.Errorf("write settings: %w", err), os.Remove(f.Name()))
	}
	return nil
}

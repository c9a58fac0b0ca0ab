package main

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/tameflare/tameflare/app/mail"
	"github.com/tameflare/tameflare/app/outbound"
	"github.com/tameflare/tameflare/domain/credential"
)

// Config is what the server is told from outside. It comes from the
// environment alone; everything else is a setting in the dashboard.
type Config struct {
	Addr        string // of the dashboard and the API
	GatewayAddr string // of the gateways' port
	BaseURL     string // of the dashboard, as browsers reach it; "" until the address is known
	DataDir     string
	MasterKey   credential.Secret  // empty: a file in DataDir
	DatabaseURL credential.Secret  // it may hold a password
	OnFly       bool               // Fly's proxy is the only way to the dashboard
	OAuthAllow  []outbound.Allowed // token endpoints that may be at addresses that are not public
	OutAllow    []outbound.Allowed // addresses of webhooks that may be there
	SMTP        mail.Server        // the zero Server where there is none
	SlackAPI    string             // of what stands in for Slack; "" is Slack itself
	LogLevel    slog.Level
	JSONLog     bool
}

// variable is one of the environment's that the server reads.
type variable struct{ name, preset, help string }

var variables = []variable{
	{"TAMEFLARE_ADDR", "127.0.0.1:8080", "address of the dashboard and the API"},
	{"TAMEFLARE_GATEWAY_ADDR", "127.0.0.1:8443", "address that gateways connect to, by mutual TLS"},
	{"TAMEFLARE_BASE_URL", "http://TAMEFLARE_ADDR", "where browsers reach the dashboard; needed where the address alone does not say"},
	{"TAMEFLARE_DATA_DIR", "$XDG_DATA_HOME/tameflare", "directory for the database and the master key"},
	{"TAMEFLARE_MASTER_KEY", "master.key in the data directory", "32 bytes in base64 that seal the vault"},
	{"DATABASE_URL", "SQLite in the data directory", "postgres://user:password@host/database, for production"},
	{"TAMEFLARE_OAUTH_ALLOW", "only public addresses", "token endpoints that may be elsewhere: login.internal=10.0.0.0/8, with commas between"},
	{"TAMEFLARE_OUTBOUND_ALLOW", "only public addresses, by https", "addresses of webhooks that may be elsewhere, also by http: hooks.internal=10.0.0.0/8, with commas between"},
	{"SMTP_URL", "no e-mail", "smtp://user:password@host:587?from=tameflare@example.com for STARTTLS, or smtps:// for TLS from the start"},
	{"SLACK_API_URL", "https://slack.com/api/", "what to speak to instead of Slack, for tests"},
	{"LOG_LEVEL", "info", "debug, info, warn or error"},
	{"LOG_FORMAT", "text", "text or json"},
}

// LoadConfig reads the configuration and reports everything that is wrong with
// it at once. No error quotes a secret.
func LoadConfig(getenv func(string) string) (Config, error) {
	var problems []error
	wrong := func(name, format string, args ...any) {
		problems = append(problems, fmt.Errorf(name+": "+format, args...))
	}
	get := func(name string) string {
		if v := strings.TrimSpace(getenv(name)); v != "" {
			return v
		}
		for _, v := range variables {
			if v.name == name {
				return v.preset
			}
		}
		return ""
	}
	c := Config{
		Addr:        get("TAMEFLARE_ADDR"),
		GatewayAddr: get("TAMEFLARE_GATEWAY_ADDR"),
		MasterKey:   credential.NewSecret(strings.TrimSpace(getenv("TAMEFLARE_MASTER_KEY"))),
		DatabaseURL: credential.NewSecret(strings.TrimSpace(getenv("DATABASE_URL"))),
		OnFly:       getenv("FLY_APP_NAME") != "", // set by Fly on its machines
	}
	for name, addr := range map[string]string{"TAMEFLARE_ADDR": c.Addr, "TAMEFLARE_GATEWAY_ADDR": c.GatewayAddr} {
		if err := checkAddr(addr); err != nil {
			wrong(name, "%w", err)
		}
	}
	if base := strings.TrimSpace(getenv("TAMEFLARE_BASE_URL")); base != "" {
		var err error
		if c.BaseURL, err = parseBaseURL(base); err != nil {
			wrong("TAMEFLARE_BASE_URL", "%w", err)
		}
	} else if isWildcard(c.Addr) {
		wrong("TAMEFLARE_BASE_URL", "needed, since TAMEFLARE_ADDR is every address of this machine: write where browsers reach the dashboard, such as https://tameflare.example.com")
	}
	if dir, err := dataDir(getenv); err != nil {
		wrong("TAMEFLARE_DATA_DIR", "%w", err)
	} else {
		c.DataDir = dir
	}
	if u := c.DatabaseURL.Reveal(); u != "" && !strings.HasPrefix(u, "postgres://") && !strings.HasPrefix(u, "postgresql://") && !strings.HasPrefix(u, "sqlite:") {
		wrong("DATABASE_URL", "begins with postgres:// or with sqlite:")
	}
	if c.DatabaseURL.Empty() && c.DataDir != "" {
		c.DatabaseURL = credential.NewSecret("sqlite:" + filepath.Join(c.DataDir, "tameflare.db"))
	}
	for name, to := range map[string]*[]outbound.Allowed{"TAMEFLARE_OAUTH_ALLOW": &c.OAuthAllow, "TAMEFLARE_OUTBOUND_ALLOW": &c.OutAllow} {
		allowed, err := outbound.ParseAllowed(getenv(name))
		if err != nil {
			wrong(name, "%w", err)
		}
		*to = allowed
	}
	if smtp := credential.NewSecret(strings.TrimSpace(getenv("SMTP_URL"))); !smtp.Empty() {
		server, err := mail.ParseURL(smtp)
		if err != nil {
			wrong("SMTP_URL", "%w", err)
		}
		c.SMTP = server
	}
	if text := strings.TrimSpace(getenv("SLACK_API_URL")); text != "" {
		if u, err := url.Parse(text); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.User != nil || u.RawQuery != "" {
			wrong("SLACK_API_URL", "not the address of an API, such as https://slack.com/api/")
		}
		c.SlackAPI = text
	}
	if err := c.LogLevel.UnmarshalText([]byte(get("LOG_LEVEL"))); err != nil {
		wrong("LOG_LEVEL", "%q is none of debug, info, warn and error", get("LOG_LEVEL"))
	}
	switch f := get("LOG_FORMAT"); f {
	case "text":
	case "json":
		c.JSONLog = true
	default:
		wrong("LOG_FORMAT", "%q is neither text nor json", f)
	}
	return c, errors.Join(problems...)
}

func checkAddr(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err == nil {
		_, err = strconv.ParseUint(port, 10, 16)
	}
	if err != nil {
		return fmt.Errorf("%q is not an address with a port, such as 127.0.0.1:8080", addr)
	}
	return nil
}

func parseBaseURL(text string) (string, error) {
	u, err := url.Parse(text)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "" || u.User != nil ||
		strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("not the address of a site, such as https://tameflare.example.com, without a path")
	}
	return u.Scheme + "://" + strings.ToLower(u.Host), nil
}

func dataDir(getenv func(string) string) (string, error) {
	dir := getenv("TAMEFLARE_DATA_DIR")
	if dir == "" {
		switch {
		case filepath.IsAbs(getenv("XDG_DATA_HOME")): // a relative one is to be ignored, says the specification
			dir = filepath.Join(getenv("XDG_DATA_HOME"), "tameflare")
		case getenv("HOME") != "":
			dir = filepath.Join(getenv("HOME"), ".local", "share", "tameflare")
		case getenv("LOCALAPPDATA") != "":
			dir = filepath.Join(getenv("LOCALAPPDATA"), "tameflare")
		default:
			return "", errors.New("needed, since there is no home directory")
		}
	}
	return filepath.Abs(dir)
}

// isWildcard reports whether addr is every address of this machine.
func isWildcard(addr string) bool {
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(host)
	return host == "" || err == nil && ip.IsUnspecified()
}

// isLoopback reports whether host, without a port, is this machine seen from
// itself.
func isLoopback(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && ip.Unmap().IsLoopback()
}

package main

import (
	"log/slog"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func TestStartsWithoutConfiguration(t *testing.T) {
	t.Parallel()

	c, err := LoadConfig(env("HOME", "/home/ana"))
	if err != nil {
		t.Fatal(err)
	}
	if c.Addr != "127.0.0.1:8080" || c.GatewayAddr != "127.0.0.1:8443" || c.DataDir != filepath.FromSlash("/home/ana/.local/share/tameflare") ||
		c.DatabaseURL.Reveal() != "sqlite:/home/ana/.local/share/tameflare/tameflare.db" || !c.MasterKey.Empty() || c.LogLevel != slog.LevelInfo || c.JSONLog {
		t.Errorf("%+v", c)
	}
	c, err = LoadConfig(env("HOME", "/home/ana", "XDG_DATA_HOME", "/data"))
	if err != nil || c.DataDir != "/data/tameflare" {
		t.Errorf("%s, %v", c.DataDir, err)
	}
}

func TestEverythingThatIsWrongIsSaidAtOnce(t *testing.T) {
	t.Parallel()

	_, err := LoadConfig(env(
		"TAMEFLARE_ADDR", "localhost", "TAMEFLARE_GATEWAY_ADDR", ":https", "TAMEFLARE_BASE_URL", "ftp://x",
		"DATABASE_URL", "mysql://ana:hunter2@db/x", "LOG_LEVEL", "loud", "LOG_FORMAT", "xml",
	))
	if err == nil {
		t.Fatal("no error")
	}
	for _, name := range []string{"TAMEFLARE_ADDR", "TAMEFLARE_GATEWAY_ADDR", "TAMEFLARE_BASE_URL", "TAMEFLARE_DATA_DIR", "DATABASE_URL", "LOG_LEVEL", "LOG_FORMAT"} {
		if !strings.Contains(err.Error(), name+": ") {
			t.Errorf("%s is not mentioned: %v", name, err)
		}
	}
	if strings.Contains(err.Error(), "hunter2") {
		t.Errorf("the password is: %v", err)
	}
}

func TestEveryAddressNeedsABaseURL(t *testing.T) {
	t.Parallel()

	for _, addr := range []string{":8080", "0.0.0.0:8080", "[::]:8080"} {
		if _, err := LoadConfig(env("HOME", "/h", "TAMEFLARE_ADDR", addr)); err == nil || !strings.Contains(err.Error(), "TAMEFLARE_BASE_URL: needed") {
			t.Errorf("%s: %v", addr, err)
		}
		if _, err := LoadConfig(env("HOME", "/h", "TAMEFLARE_ADDR", addr, "TAMEFLARE_BASE_URL", "https://t.example.com/")); err != nil {
			t.Errorf("%s with a base URL: %v", addr, err)
		}
	}
	for _, base := range []string{"https://t.example.com/path", "https://u:p@t.example.com", "https://t.example.com?x", "t.example.com", "https://"} {
		if _, err := LoadConfig(env("HOME", "/h", "TAMEFLARE_BASE_URL", base)); err == nil {
			t.Errorf("%s is taken", base)
		}
	}
}

func TestWhereTheServerIs(t *testing.T) {
	t.Parallel()

	at := func(port int) net.Addr { return &net.TCPAddr{IP: net.IPv4zero, Port: port} }
	for name, c := range map[string]struct {
		config Config
		want   places
	}{
		"nothing said": {
			Config{Addr: "127.0.0.1:0", GatewayAddr: "127.0.0.1:0"},
			places{BaseURL: "http://127.0.0.1:81", LinkURL: "https://127.0.0.1:82", LinkNames: []string{"127.0.0.1"}, Loopback: true},
		},
		"another machine's": {
			Config{Addr: "192.0.2.7:0", GatewayAddr: "192.0.2.7:0"},
			places{BaseURL: "http://192.0.2.7:81", LinkURL: "https://192.0.2.7:82", LinkNames: []string{"192.0.2.7"}},
		},
		"every address": {
			Config{Addr: "0.0.0.0:80", GatewayAddr: ":8443", BaseURL: "https://t.example.com"},
			places{BaseURL: "https://t.example.com", LinkURL: "https://t.example.com:82", LinkNames: []string{"t.example.com", "localhost", "127.0.0.1"}, Secure: true},
		},
		"behind a proxy on this machine": {
			Config{Addr: "127.0.0.1:80", GatewayAddr: "127.0.0.1:0", BaseURL: "https://t.example.com"},
			places{BaseURL: "https://t.example.com", LinkURL: "https://127.0.0.1:82", LinkNames: []string{"127.0.0.1"}, Secure: true},
		},
		"version six": {
			Config{Addr: "[::1]:0", GatewayAddr: "[::1]:0"},
			places{BaseURL: "http://[::1]:81", LinkURL: "https://[::1]:82", LinkNames: []string{"::1"}, Loopback: true},
		},
	} {
		if diff := cmp.Diff(c.want, locate(c.config, at(81), at(82))); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// A name that only looks like this machine's would let strangers register.
func TestWhatIsLoopback(t *testing.T) {
	t.Parallel()

	for host, want := range map[string]bool{
		"127.0.0.1": true, "127.9.9.9": true, "::1": true, "[::1]": true, "localhost": true, "LOCALHOST.": true, "a.localhost": true, "::ffff:127.0.0.1": true,
		"": false, "0.0.0.0": false, "::": false, "192.168.0.1": false, "localhost.example.com": false, "127.0.0.1.example.com": false, "notlocalhost": false,
	} {
		if got := isLoopback(host); got != want {
			t.Errorf("%q: %v, want %v", host, got, want)
		}
	}
}

func TestHelpNamesEveryVariable(t *testing.T) {
	t.Parallel()

	var out strings.Builder
	p := program{getenv: env(), stdout: &out, stderr: &out}
	if code := p.run(t.Context(), []string{"help"}); code != 0 {
		t.Errorf("exit %d", code)
	}
	var asked []string
	_, _ = LoadConfig(func(name string) string { asked = append(asked, name); return "" })
	for _, name := range asked {
		known := slices.ContainsFunc(variables, func(v variable) bool { return v.name == name })
		if elsewhere := name == "HOME" || name == "FLY_APP_NAME" || name == "LOCALAPPDATA" || name == "XDG_DATA_HOME"; !known && !elsewhere {
			t.Errorf("%s is read and not in the list", name)
		}
	}
	for _, v := range variables {
		if !slices.Contains(asked, v.name) || !strings.Contains(out.String(), v.name) {
			t.Errorf("%s is in the list, and not read or not shown", v.name)
		}
	}
}

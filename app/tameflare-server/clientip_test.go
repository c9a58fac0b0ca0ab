package main

import (
	"net/http/httptest"
	"testing"
)

func TestWhoAsks(t *testing.T) {
	t.Parallel()

	open := Config{Addr: "0.0.0.0:80"}
	behind := Config{Addr: "127.0.0.1:80"}
	fly := Config{Addr: "0.0.0.0:80", OnFly: true}
	for name, c := range map[string]struct {
		config       Config
		at           places
		header, says string
		want         string
	}{
		"nobody in between":            {open, places{}, "", "", "192.0.2.1"},
		"a stranger's header":          {open, places{}, "X-Forwarded-For", "198.51.100.7", "192.0.2.1"},
		"a stranger's, as on Fly":      {open, places{}, "Fly-Client-IP", "198.51.100.7", "192.0.2.1"},
		"on loopback":                  {behind, places{Loopback: true}, "X-Forwarded-For", "198.51.100.7", "192.0.2.1"},
		"behind a proxy":               {behind, places{}, "X-Forwarded-For", "198.51.100.7", "198.51.100.7"},
		"what came with it":            {behind, places{}, "X-Forwarded-For", "203.0.113.9, 203.0.113.10, 198.51.100.7", "198.51.100.7"},
		"a proxy that writes nonsense": {behind, places{}, "X-Forwarded-For", "unknown", "192.0.2.1"},
		"a proxy that writes nothing":  {behind, places{}, "", "", "192.0.2.1"},
		"on Fly":                       {fly, places{}, "Fly-Client-IP", "2001:db8::1", "2001:db8::1"},
		"another header on Fly":        {fly, places{}, "X-Forwarded-For", "198.51.100.7", "192.0.2.1"},
	} {
		r := httptest.NewRequest("GET", "/", nil) // from 192.0.2.1
		if c.header != "" {
			r.Header.Set(c.header, c.says)
		}
		if got := clientIP(c.config, c.at)(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

package views

import (
	"net/url"
	"strconv"
	"time"

	"github.com/tameflare/tameflare/domain/audit"
)

func statusText(r audit.Request) string {
	if r.Status == 0 {
		return "–"
	}
	return strconv.Itoa(r.Status)
}

func totalText(r audit.Request) string {
	if r.Step == audit.Intent {
		return "…"
	}
	if r.TotalMS == 0 {
		return tookText(time.Duration(r.DecideUS) * time.Microsecond)
	}
	return tookText(time.Duration(r.TotalMS) * time.Millisecond)
}

func newsText(n int) string {
	if n > 99 {
		return "More than 99 new requests. Show them"
	}
	if n == 1 {
		return "1 new request. Show it"
	}
	return strconv.Itoa(n) + " new requests. Show them"
}

func selectedID(t Traffic) string {
	if t.Selected == nil {
		return ""
	}
	return t.Selected.ID
}

// instead is s, or what stands in its place.
func instead(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

func withQuery(path, query string) string {
	if query == "" {
		return path
	}
	return path + "?" + query
}

// withParam is path with one parameter, whatever an agent has put into it.
func withParam(path, name, value string) string {
	return path + "?" + url.Values{name: {value}}.Encode()
}

// byText says which stage decided.
func byText(by string) string {
	switch by {
	case "rule":
		return "An access rule"
	case "default":
		return "No rule matched"
	case "kill_switch":
		return "The kill switch"
	case "policy":
		return "A policy"
	case "client_key":
		return "The key that the client brought"
	}
	return orDash(Visible(by, 40))
}

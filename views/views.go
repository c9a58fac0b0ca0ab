// Package views draws the dashboard: pages, and the fragments that live pages read again.
//
// A component takes typed values and knows no request, no session and no store.
// What agents have sent goes through Visible before it is shown, stands inside
// hx-ignore, and never gets into a title.
package views

import (
	"github.com/tameflare/tameflare/domain/team"
)

// Frame is what every page of somebody who is signed in has around it.
type Frame struct {
	Title   string // ours, never an agent's
	Section string // the sidebar's entry: "approvals"
	Viewer  team.Viewer
	Theme   string // "light", "dark" or "" for the system's
	Waiting int    // requests that wait for a person
	Kills   []KillLine
	Fleet   Fleet
	Topics  string           // what the page hears of, besides approvals and gateways
	Lenient []LenientGateway // whose requests the page is about
	Narrow  bool
	Closed  bool // no live connection: a page that does not change
}

// headTitle is the title in the browser's tab. The script brings its number up
// to date.
func (f Frame) headTitle() string {
	if n := waitingText(f.Waiting); n != "" && f.Section == "approvals" && f.Title == "Approvals" {
		return f.Title + " (" + n + ")"
	}
	return f.Title
}

// Fleet counts gateways that may take part.
type Fleet struct {
	Online, Total int
}

// state is the colour of the dot beside the words.
func (f Fleet) state() string {
	switch {
	case f.Total == 0:
		return "none"
	case f.Online == f.Total:
		return "live"
	}
	return "waiting"
}

// Errors are sentences about fields of a form, by the field's name. The one
// under "" is about the whole form.
type Errors map[string]string

// Any reports whether there is any.
func (e Errors) Any() bool { return len(e) > 0 }

// Link is a link with its words.
type Link struct {
	Text, URL string
	Current   bool
	Count     int
}

// Option is an entry of a select.
type Option struct {
	Value, Text string
}

type navEntry struct{ section, url, icon, text string }

// nav is what there is for everybody who is signed in.
var nav = [2][]navEntry{
	{
		{"overview", "/", "house", "Overview"},
		{"approvals", "/approvals", "inbox", "Approvals"},
		{"traffic", "/traffic", "activity", "Traffic"},
		{"gateways", "/gateways", "server", "Gateways"},
		{"connectors", "/connectors", "plug", "Connectors"},
		{"policies", "/policies", "scale", "Policies"},
		{"vault", "/vault", "key-round", "Vault"},
	},
	{
		{"audit", "/audit", "scroll-text", "Audit"},
		{"settings", "/settings", "settings", "Settings"},
	},
}

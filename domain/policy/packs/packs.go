// Package packs has policies to start from.
package packs

import (
	"embed"
	"slices"
)

// Pack is a policy that somebody may take, and change to their liking.
type Pack struct {
	Name     string // as in an address: "protect-main"
	Title    string
	Summary  string   // a sentence
	Services []string // connector types that it is about; none for all
	Document string
}

//go:embed files
var files embed.FS

var packs = []Pack{
	{Name: "protect-main", Title: "Protect main", Services: []string{"github"},
		Summary: "What lands on main needs an admin; main is not deleted, renamed, rewritten or unprotected."},
	{Name: "nothing-destructive", Title: "Nothing destructive",
		Summary: "Nothing is deleted, and what cannot be undone or changes settings needs a person."},
	{Name: "business-hours", Title: "Business hours",
		Summary: "Outside working hours agents only read; changes wait for a person, and deletions for the morning."},
	{Name: "refunds-need-two-people", Title: "Refunds need two people", Services: []string{"stripe"},
		Summary: "Refunds over 100 need two people and are never made at night; other ways to send money away are closed."},
	{Name: "read-only-research", Title: "Read-only research",
		Summary: "Agents read and ask models, and change nothing anywhere."},
	{Name: "llm-spend", Title: "Model spending", Services: []string{"openai", "anthropic"},
		Summary: "Only the models you name, answers of a limited length, and a person for batches and training."},
	{Name: "keys-and-people", Title: "Keys and people",
		Summary: "Agents do not make, change or delete credentials, and who has access is decided by an owner."},
	{Name: "slack-stays-inside", Title: "Slack stays inside", Services: []string{"slack"},
		Summary: "Nobody from outside is invited, nothing becomes public, and a message to everyone needs a person."},
}

// All returns every pack, in the order in which people should see them.
func All() []Pack {
	all := slices.Clone(packs)
	for i := range all {
		all[i].Document = text(all[i].Name)
	}
	return all
}

// Named returns one pack, and whether there is one of that name.
func Named(name string) (Pack, bool) {
	for _, p := range packs {
		if p.Name == name {
			p.Document = text(name)
			return p, true
		}
	}
	return Pack{}, false
}

// text is "" where a pack has no file, which its test does not let happen.
func text(name string) string {
	data, err := files.ReadFile("files/" + name + ".yaml")
	if err != nil {
		return ""
	}
	return string(data)
}

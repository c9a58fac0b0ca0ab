package team

import "time"

// Group is some people of a team. Rules name it to ask one of them, or several,
// to agree.
type Group struct {
	ID        string `bun:",pk"` // "grp_…"
	TeamID    string
	Name      string // unique in the team; what rules say
	CreatedAt time.Time
	Members   []User `bun:"-"` // by e-mail; only who is in the team
}

// MaxGroups is how many groups a team may have.
const MaxGroups = 100

package show

import (
	"strings"

	"github.com/tameflare/tameflare/connectors/pktline"
)

func (in input) isPush() bool {
	return in.media == "application/x-git-receive-pack-request" || in.action.Name == "github.repo.push" || in.action.Name == "github.gist.push"
}

// push shows what becomes of which refs. What is in the commits is in a pack
// that only git reads.
func (s *sheet) push(in input) {
	push, err := pktline.ReadPush(in.data, in.whole)
	if err != nil {
		s.note("It cannot be read which branches and tags this push would change.")
		s.binary(in, "")
		return
	}
	if len(push.Commands) == 0 {
		s.note("This push changes nothing yet: git asks whether it may.")
		return
	}
	var rows [][2]string
	updates := false
	for _, c := range push.Commands {
		from, to := short(c.Old), short(c.New)
		change := from + " → " + to
		switch c.Kind() {
		case "create":
			change = "new, at " + to
		case "delete":
			change = "deleted, was at " + from
		default:
			updates = true
		}
		rows = append(rows, s.row(c.Ref, change))
	}
	s.table("Branches and tags", rows)
	if updates {
		s.note("Git does not say in a push whether it is forced, that is, whether commits that are there now would be lost.")
	}
	rows = nil
	if push.Atomic {
		rows = append(rows, [2]string{"Atomic", "all of them or none"})
	}
	if push.Signed {
		rows = append(rows, [2]string{"Signed", "by a push certificate"})
	}
	if push.PushOptions {
		rows = append(rows, [2]string{"Options", "the push brings options for the server"})
	}
	s.table("Details", rows)
}

// short is enough of an object id to look it up.
func short(id string) string {
	if len(id) > 12 && strings.Trim(id, "0123456789abcdef") == "" {
		return id[:12]
	}
	return id
}

package pktline

import (
	"slices"
	"strings"
)

// maxCommands is how many refs one push may change. Mirrors of the largest
// repositories have some ten thousand.
const maxCommands = 1 << 16

// Push is what a push wants to change.
type Push struct {
	Commands     []Command // none in the probe that git sends to be asked for a password
	Shallow      int
	Capabilities []string
	Signed       bool // the commands are those of a push certificate
	Atomic       bool
	PushOptions  bool
}

// Command is the change of one ref.
type Command struct {
	Old, New string // object ids, all zeros for none
	Ref      string // the full name
}

// Kind returns create, update or delete.
func (c Command) Kind() string {
	switch {
	case isZero(c.New):
		return "delete"
	case isZero(c.Old):
		return "create"
	}
	return "update"
}

func isZero(id string) bool { return strings.Trim(id, "0") == "" }

// ReadPush reads the body of a POST to git-receive-pack. Data is its
// beginning, and all of it where whole says so.
//
// It fails with ErrIncomplete where the commands do not end in data, and with
// ErrMalformed where they are not what git sends, or name a ref twice.
func ReadPush(data []byte, whole bool) (Push, error) {
	r := reader{data, whole}
	var p pushReader
	for first := true; ; {
		k, text, err := r.next()
		switch {
		case err != nil:
			return Push{}, err
		case k == flush:
			return p.push, nil
		case k != line:
			return Push{}, malformed("a delimiter among the commands")
		}
		text, _ = strings.CutSuffix(text, "\n")
		if id, ok := strings.CutPrefix(text, "shallow "); ok {
			if err := p.shallow(id); err != nil {
				return Push{}, err
			}
			continue
		}
		text, capabilities, named := strings.Cut(text, "\x00")
		if named != first {
			return Push{}, malformed("capabilities not on the first line alone")
		}
		if first {
			if err := p.capable(capabilities); err != nil {
				return Push{}, err
			}
			first = false
			if text == "push-cert" {
				return p.signed(&r)
			}
		}
		if err := p.command(text); err != nil {
			return Push{}, err
		}
	}
}

// pushReader puts a Push together.
type pushReader struct {
	push Push
	refs map[string]bool
	id   int // how long ids are, once that is known
}

func (p *pushReader) capable(list string) error {
	if strings.ContainsFunc(list, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return malformed("the capabilities %q", list)
	}
	p.push.Capabilities = strings.Fields(list)
	p.push.Atomic = slices.Contains(p.push.Capabilities, "atomic")
	p.push.PushOptions = slices.Contains(p.push.Capabilities, "push-options")
	return nil
}

func (p *pushReader) shallow(id string) error {
	if len(p.push.Commands) > 0 {
		return malformed("a shallow line after the first command")
	}
	if err := p.checkID(id); err != nil {
		return err
	}
	p.push.Shallow++
	return nil
}

func (p *pushReader) command(text string) error {
	before, rest, _ := strings.Cut(text, " ")
	after, ref, ok := strings.Cut(rest, " ")
	if !ok {
		return malformed("the command %q", text)
	}
	for _, id := range []string{before, after} {
		if err := p.checkID(id); err != nil {
			return err
		}
	}
	if err := checkRef(ref); err != nil {
		return err
	}
	if p.refs[ref] {
		return malformed("the ref %q twice", ref)
	}
	if len(p.push.Commands) == maxCommands {
		return malformed("more than %d refs", maxCommands)
	}
	if p.refs == nil {
		p.refs = map[string]bool{}
	}
	p.refs[ref] = true
	p.push.Commands = append(p.push.Commands, Command{before, after, ref})
	return nil
}

// checkID fails also where the ids of one push are of two kinds.
func (p *pushReader) checkID(id string) error {
	if p.id == 0 {
		p.id = len(id)
	}
	if !isID(id) || len(id) != p.id {
		return malformed("the object id %q", id)
	}
	return nil
}

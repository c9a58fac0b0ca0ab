package openapi

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/definition"
)

// verbs are the words that an operation's name may begin or end with, by what
// rules call them.
var verbs = map[string]string{
	"list": "list", "index": "list", "all": "list",
	"get": "get", "fetch": "get", "retrieve": "get", "read": "get", "show": "get", "describe": "get", "view": "get", "download": "download",
	"create": "create", "add": "create", "new": "create", "make": "create", "insert": "create", "register": "register",
	"update": "update", "edit": "update", "modify": "update", "patch": "update", "put": "update", "set": "update", "replace": "update", "change": "update", "upsert": "update",
	"delete": "delete", "remove": "delete", "destroy": "delete", "del": "delete",
}

// acts are verbs that a path may end with.
var acts = []string{
	"accept", "activate", "apply", "approve", "archive", "assign", "authorize", "block", "cancel", "capture", "charge", "check", "clone", "close", "complete", "confirm", "convert",
	"copy", "count", "deactivate", "decline", "deploy", "detach", "attach", "disable", "dismiss", "duplicate", "enable", "execute", "export", "finalize", "find", "finish", "follow", "forward",
	"import", "invite", "invoke", "issue", "join", "kick", "leave", "lock", "login", "logout", "mark", "merge", "move", "notify", "pause", "pay", "ping", "preview", "publish", "purge",
	"query", "rebuild", "refresh", "refund", "reject", "release", "rename", "renew", "reopen", "reply", "reset", "resend", "restart", "restore", "resume", "retry", "revert", "revoke", "rotate",
	"run", "schedule", "search", "send", "share", "sign", "start", "stop", "submit", "subscribe", "suspend", "sync", "test", "transfer", "trigger", "unarchive", "unassign", "unblock",
	"undo", "unfollow", "unlock", "unpublish", "unsubscribe", "upload", "validate", "verify", "void", "withdraw",
}

// name gives each operation that was found its action, one for each meaning:
// where two would be called the same and are not of one class, the later one
// has its method in its name, and where that does not help both count as the
// stricter.
func (r *reading) name() {
	byAction := map[string]int{}
	of := map[string]string{} // what an action is done to, in full
	for _, f := range r.found {
		nouns, verb := f.words()
		o := f.Operation
		full := strings.Join(nouns, "/")
		for n := 2; ; n++ {
			o.Action = r.d.Name + "." + noun(nouns, n) + "." + verb
			if other, there := of[o.Action]; !there || other == full || n >= len(nouns) {
				break
			}
		}
		of[o.Action] = full
		if i, there := byAction[o.Action]; there && r.d.Operations[i].Class != o.Class {
			other := o.Action + "_" + strings.ToLower(o.Method)
			r.note(o.Form(), "It would be called %s as another is that is not of its class; it is called %s.", o.Action, other)
			o.Action = other
		}
		if o.Action == r.d.Name+".other.get" {
			o.Action = r.d.Name + ".other_thing.get"
		}
		if i, there := byAction[o.Action]; there {
			o.Class = min(o.Class, r.d.Operations[i].Class)
			o.Risk = min(o.Risk, r.d.Operations[i].Risk)
			for j := range r.d.Operations {
				if r.d.Operations[j].Action == o.Action {
					r.d.Operations[j].Class, r.d.Operations[j].Risk = o.Class, o.Risk
				}
			}
		} else {
			byAction[o.Action] = len(r.d.Operations)
		}
		r.d.Operations = append(r.d.Operations, o)
	}
}

// words says what an operation is done to and what it does: from its path, and
// where that says little, from its own name.
func (f found) words() (nouns []string, verb string) {
	last, behind := "", false // the last segment of text, and whether a name comes before it
	for s := range strings.SplitSeq(strings.Trim(f.Path, "/"), "/") {
		if strings.HasPrefix(s, "{") {
			last = ""
			behind = true
			continue
		}
		if words := definition.Words(s); len(words) > 0 && !isVersion(s) && s != "api" {
			last = strings.Join(words, "_")
			nouns = append(nouns, last)
		}
	}
	ends := strings.HasSuffix(f.Path, "}")
	id := definition.Words(f.id)
	own := f.ownVerb(id)
	switch {
	case last != "" && len(nouns) > 1 && f.isAct(last, id):
		nouns, verb = nouns[:len(nouns)-1], last
	case f.Method == "GET" && (ends || own == "get" || singular(last) && behind):
		verb = "get"
	case f.Method == "GET":
		verb = "list"
	case f.Method == "POST" && own != "":
		verb = own
	case f.Method == "POST" && !ends:
		verb = "create"
	case f.Method == "PUT" || f.Method == "PATCH" || f.Method == "POST":
		verb = "update"
	default:
		verb = strings.ToLower(f.Method)
	}
	if !ends && last != verb && definition.Singular(last) != last && (verb == "delete" || verb == "update" && f.Method != "POST") {
		verb += "_all"
	}
	if len(nouns) == 0 && len(id) > 0 {
		nouns = id
	}
	return nouns, verb[:min(len(verb), 60)]
}

// ownVerb is the verb in the operation's own name, in the word for it that
// rules use; "" where there is none.
func (f found) ownVerb(id []string) string {
	if len(id) == 0 {
		return ""
	}
	for _, w := range []string{id[0], id[len(id)-1]} {
		if v := verbs[w]; v != "" {
			return v
		}
		if slices.Contains(acts, w) {
			return w
		}
	}
	return ""
}

// isAct reports whether the end of a path is what is done, not what it is done
// to: a verb that people use so, or the one in the operation's name.
func (f found) isAct(last string, id []string) bool {
	first, _, _ := strings.Cut(last, "_")
	switch {
	case slices.Contains(acts, first):
		return true
	case f.Method == "GET" || len(id) < 2 || verbs[first] != "":
		return verbs[last] != "" && f.Method == "POST"
	}
	return id[0] == last && !strings.HasSuffix(last, "s")
}

func singular(word string) bool { return word != "" && definition.Singular(word) == word }

// noun joins what an operation is done to: the last words of a path, each for
// one thing.
func noun(nouns []string, n int) string {
	var all []string
	for _, n := range nouns[max(0, len(nouns)-n):] {
		words := strings.Split(n, "_")
		words[len(words)-1] = definition.Singular(words[len(words)-1])
		all = append(all, words...)
	}
	name := strings.Trim(strings.Join(all, "_"), "_-")
	if name == "" {
		return "root"
	}
	return strings.TrimRight(name[:min(len(name), 60)], "_-")
}

package pktline

import "strings"

// Fetch is what a fetch asks for.
type Fetch struct {
	Command string // fetch, ls-refs or object-info; fetch in protocols 0 and 1; empty where nothing is asked
	Wants   int    // objects or refs that are asked for
	Haves   int    // objects that the client says it has
	Done    bool   // the client has said all, and wants the pack
	Depth   int    // 0 for all
	Filter  string // of a partial clone
}

// Clone reports whether this fetches into a repository that has nothing yet.
func (f Fetch) Clone() bool { return f.Command == "fetch" && f.Wants > 0 && f.Haves == 0 }

// ReadFetch reads the body of a POST to git-upload-pack in the version of the
// protocol that the Git-Protocol header asks for. Data is its beginning, and
// all of it where whole says so.
//
// It fails with ErrIncomplete where the request does not end in data, and with
// ErrMalformed where it is not what git sends.
func ReadFetch(data []byte, whole bool, version int) (Fetch, error) {
	r := &reader{data, whole}
	switch version {
	case 0, 1:
		return readNegotiation(r)
	case 2:
		return readCommand(r)
	}
	return Fetch{}, malformed("version %d of the protocol", version)
}

// readNegotiation reads the wants up to the first flush, then haves, in as
// many sections as git likes, up to the end or to done.
func readNegotiation(r *reader) (Fetch, error) {
	var f Fetch
	for first := true; ; first = false {
		k, text, err := r.next()
		switch {
		case err != nil:
			return Fetch{}, err
		case k == delim:
			return Fetch{}, malformed("a delimiter in protocol 0")
		case k == flush && first:
			return r.end(f)
		case k == flush:
			return readHaves(r, f)
		}
		f.Command = "fetch"
		text, _ = strings.CutSuffix(text, "\n")
		word, rest, _ := strings.Cut(text, " ")
		if first {
			if word != "want" {
				return Fetch{}, malformed("it begins with %q", word)
			}
			rest, _, _ = strings.Cut(rest, " ") // the capabilities
		}
		switch word {
		case "want", "shallow", "deepen", "deepen-since", "deepen-not", "filter":
			if err := f.argument(word, rest); err != nil {
				return Fetch{}, err
			}
		default:
			return Fetch{}, malformed("%q among the wants", word)
		}
	}
}

func readHaves(r *reader, f Fetch) (Fetch, error) {
	for len(r.rest) > 0 || !r.whole {
		k, text, err := r.next()
		switch {
		case err != nil:
			return Fetch{}, err
		case k == flush:
			continue
		case k == delim:
			return Fetch{}, malformed("a delimiter in protocol 0")
		}
		text, _ = strings.CutSuffix(text, "\n")
		word, rest, _ := strings.Cut(text, " ")
		switch word {
		case "have":
			if err := f.argument(word, rest); err != nil {
				return Fetch{}, err
			}
		case "done":
			f.Done = true
			return r.end(f)
		default:
			return Fetch{}, malformed("%q among the haves", word)
		}
	}
	return f, nil
}

// readCommand reads one command of protocol 2. A server that serves one
// request at a time does not read on after it, another might.
func readCommand(r *reader) (Fetch, error) {
	var f Fetch
	for first, arguments := true, false; ; first = false {
		k, text, err := r.next()
		switch {
		case err != nil:
			return Fetch{}, err
		case k == flush:
			return r.end(f)
		case k == delim:
			if first || arguments {
				return Fetch{}, malformed("a delimiter out of place")
			}
			arguments = true
			continue
		}
		text, _ = strings.CutSuffix(text, "\n")
		if arguments {
			word, rest, _ := strings.Cut(text, " ")
			if err := f.argument(word, rest); err != nil {
				return Fetch{}, err
			}
			continue
		}
		command, ok := strings.CutPrefix(text, "command=")
		if ok != first {
			return Fetch{}, malformed("not exactly one command, at the beginning")
		}
		if !ok {
			continue // a capability, such as agent=git/2.39
		}
		switch command {
		case "fetch", "ls-refs", "object-info":
			f.Command = command
		default:
			return Fetch{}, malformed("the command %q", command)
		}
	}
}

// argument notes one line of a fetch. Lines that say how to answer and not
// what with are let pass, and so is all that belongs to other commands.
func (f *Fetch) argument(word, rest string) (err error) {
	if f.Command != "fetch" {
		return nil
	}
	switch word {
	case "want":
		f.Wants++
	case "want-ref":
		f.Wants++
		return nil
	case "have":
		f.Haves++
	case "shallow":
	case "done":
		f.Done = true
		return nil
	case "deepen":
		if f.Depth != 0 {
			return malformed("two depths")
		}
		f.Depth, err = count(rest)
		return err
	case "filter":
		if f.Filter != "" {
			return malformed("two filters")
		}
		f.Filter = rest
		return nil
	default:
		return nil
	}
	if !isID(rest) {
		return malformed("the object id %q", rest)
	}
	return nil
}

// end returns f, or fails where there is something left, or may be.
func (r *reader) end(f Fetch) (Fetch, error) {
	switch {
	case len(r.rest) > 0:
		return Fetch{}, malformed("more after the end")
	case !r.whole:
		return Fetch{}, ErrIncomplete
	}
	return f, nil
}

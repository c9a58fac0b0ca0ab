// Package curl reads curl commands, as documentation and browsers write them,
// without running anything.
//
// What is asked for is the request that curl would send first. No file is
// read, no variable is filled in and no command is run: what would come from
// there counts as unknown, or is refused with a sentence.
package curl

import (
	"net/http"
	"path"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/described"
	"github.com/tameflare/tameflare/domain/fault"
)

// Max is how long a command may be.
const Max = 64 << 10

// Request is what a command would send.
type Request struct {
	described.Request

	// Notes are sentences about what was left out or taken as it is written.
	Notes []string
}

// notes are sentences, each once.
type notes struct{ all []string }

func (n *notes) add(sentence string) {
	if !slices.Contains(n.all, sentence) {
		n.all = append(n.all, sentence)
	}
}

// Parse reads a command. It fails with fault.Invalid, and the sentence then
// says what about it cannot be read; it never repeats what might be a key.
func Parse(command string) (Request, error) {
	if len(command) > Max {
		return Request{}, bad("The command is too long to be read here.")
	}
	c := &call{header: http.Header{}}
	words, err := split(strings.TrimSpace(command), &c.notes)
	if err != nil {
		return Request{}, err
	}
	if words, err = afterName(words, &c.notes); err != nil {
		return Request{}, err
	}
	if err := c.read(words); err != nil {
		return Request{}, err
	}
	r, err := c.request()
	if err != nil {
		return Request{}, err
	}
	return Request{Request: r, Notes: c.notes.all}, nil
}

func split(command string, n *notes) ([]string, error) {
	if strings.IndexByte(command, 0) >= 0 {
		return nil, bad("The command has a NUL character in it.")
	}
	if forWindows(command) {
		return windowsWords(command)
	}
	return (&shell{text: command, notes: n}).words()
}

// afterName drops what stands before curl's arguments: a prompt, settings of
// the environment, the name itself.
func afterName(words []string, n *notes) ([]string, error) {
	for i, word := range words {
		name, _, set := strings.Cut(word, "=")
		switch {
		case isCurl(word):
			return words[i+1:], nil
		case i == 0 && (word == "$" || word == "%"):
		case set && name != "" && !strings.HasPrefix(name, "-") && strings.Trim(strings.ToUpper(name), "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == "":
			n.add("Settings before the command are left out.")
		default:
			return nil, bad("This is not a curl command. It begins with curl, as in: curl https://api.github.com/user")
		}
	}
	return nil, bad("Paste a curl command, as in: curl https://api.github.com/user")
}

func isCurl(word string) bool {
	name := path.Base(strings.ReplaceAll(word, `\`, "/"))
	return name == "curl" || strings.EqualFold(name, "curl.exe")
}

// call is curl's command line as far as it says what is sent.
type call struct {
	notes  notes
	url    string
	method string
	header http.Header
	own    [][2]string // headers that curl sets by itself
	drop   []string    // and those that it is told not to

	data       []string // of -d and its kin, each as it is sent
	hasData    bool
	json       bool
	form       []part
	query      []string
	user       string
	hasUser    bool
	get, head  bool
	upload     string
	hasUpload  bool
	unread     bool
	globOff    bool
	pathAsIs   bool
	compressed bool
}

// read takes the arguments one after the other.
func (c *call) read(args []string) error {
	for i := 0; i < len(args); i++ {
		arg := args[i]
		take := func() (string, bool) {
			if i+1 >= len(args) {
				return "", false
			}
			i++
			return args[i], true
		}
		var err error
		switch {
		case arg == "-":
			err = bad("Standard input is not read.")
		case strings.HasPrefix(arg, "--"):
			err = c.long(arg, take)
		case strings.HasPrefix(arg, "-"):
			err = c.short(arg, take)
		default:
			err = c.address(arg)
		}
		if err != nil {
			return err
		}
	}
	if c.url == "" {
		return bad("The command has no address. Paste all of its lines.")
	}
	return nil
}

func (c *call) address(url string) error {
	if c.url != "" {
		return bad("The command has several addresses, and would send several requests. Paste it with one of them.")
	}
	c.url = url
	return nil
}

func (c *call) long(arg string, take func() (string, bool)) error {
	name := strings.TrimPrefix(arg, "--")
	o, ok := long[name]
	if off, no := strings.CutPrefix(name, "no-"); !ok && no {
		if o, ok = long[off]; ok && o.kind == flag && o.set == nil {
			return nil
		}
		ok = false
	}
	if !ok {
		return unknown("--" + name)
	}
	return o.apply(c, "--"+name, take)
}

// short reads one argument with one letter or several: -sSLX POST, -XPOST.
func (c *call) short(arg string, take func() (string, bool)) error {
	for i := 1; i < len(arg); i++ {
		name, ok := short[arg[i]]
		if !ok {
			return unknown("-" + arg[i:i+1])
		}
		o := long[name]
		if o.kind == flag {
			if err := o.apply(c, "-"+arg[i:i+1], nil); err != nil {
				return err
			}
			continue
		}
		if rest := arg[i+1:]; rest != "" {
			take = func() (string, bool) { return rest, true }
		}
		return o.apply(c, "-"+arg[i:i+1], take)
	}
	return nil
}

// unknown says which option is not known. What a person has mistyped may be a
// key, so only what looks like an option is repeated.
func unknown(name string) error {
	if len(name) > 2 && (len(name) > 30 || strings.Trim(name, "-abcdefghijklmnopqrstuvwxyz") != "") {
		name = "in it"
	}
	return fault.New(fault.Invalid, "The option "+name+" is not known here. Leave it out if it changes nothing about the request.", nil)
}

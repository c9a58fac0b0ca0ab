package pktline_test

import (
	"errors"
	"testing"

	"github.com/tameflare/tameflare/connectors/pktline"
)

func TestAFetchIsReadAsGitReadsItOrNotAtAll(t *testing.T) {
	t.Parallel()

	want, have := packet("want "+one+" ofs-delta agent=git/2\n"), packet("have "+two+"\n")
	fetch := packet("command=fetch") + packet("agent=git/2") + "0001"
	for name, tc := range map[string]struct {
		body    string
		version int
		fetch   pktline.Fetch
		err     error
	}{
		"clone":                  {body: want + packet("want "+two) + "0000" + packet("done\n"), fetch: pktline.Fetch{Command: "fetch", Wants: 2, Done: true}},
		"shallow clone":          {body: want + packet("deepen 2147483647") + packet("filter blob:none\n") + "0000", fetch: pktline.Fetch{Command: "fetch", Wants: 1, Depth: 2147483647, Filter: "blob:none"}},
		"fetch":                  {body: want + packet("shallow "+two) + "0000" + have + have + "0000" + have + packet("done"), version: 1, fetch: pktline.Fetch{Command: "fetch", Wants: 1, Haves: 3, Done: true}},
		"nothing is wanted":      {body: "0000"},
		"refs":                   {body: packet("command=ls-refs\n") + "0001" + packet("peel\n") + packet("want nothing") + "0000", version: 2, fetch: pktline.Fetch{Command: "ls-refs"}},
		"refs without arguments": {body: packet("command=ls-refs\n") + "0000", version: 2, fetch: pktline.Fetch{Command: "ls-refs"}},
		"sizes":                  {body: packet("command=object-info") + "0001" + packet("size") + packet("oid "+one) + "0000", version: 2, fetch: pktline.Fetch{Command: "object-info"}},
		"clone of version 2":     {body: fetch + packet("thin-pack") + packet("want "+one+"\n") + packet("want-ref refs/heads/a") + packet("deepen 1") + packet("filter tree:0") + packet("done") + "0000", version: 2, fetch: pktline.Fetch{Command: "fetch", Wants: 2, Done: true, Depth: 1, Filter: "tree:0"}},
		"fetch of version 2":     {body: fetch + packet("want "+one) + have + "0000", version: 2, fetch: pktline.Fetch{Command: "fetch", Wants: 1, Haves: 1}},
		"end of version 2":       {body: "0000", version: 2},

		"nothing":                    {err: pktline.ErrMalformed},
		"version 3":                  {body: "0000", version: 3, err: pktline.ErrMalformed},
		"version 2 read as 0":        {body: fetch + "0000", err: pktline.ErrMalformed},
		"version 0 read as 2":        {body: want + "0000" + packet("done"), version: 2, err: pktline.ErrMalformed},
		"have first":                 {body: have + "0000", err: pktline.ErrMalformed},
		"have among the wants":       {body: want + have + "0000", err: pktline.ErrMalformed},
		"want among the haves":       {body: want + "0000" + want + "0000", err: pktline.ErrMalformed},
		"want that is no id":         {body: packet("want main") + "0000", err: pktline.ErrMalformed},
		"have that is no id":         {body: want + "0000" + packet("have main"), err: pktline.ErrMalformed},
		"delimiter in version 0":     {body: want + "0001" + "0000", err: pktline.ErrMalformed},
		"more after done":            {body: want + "0000" + packet("done") + have, err: pktline.ErrMalformed},
		"more after nothing":         {body: "0000" + want, err: pktline.ErrMalformed},
		"no flush":                   {body: want, err: pktline.ErrMalformed},
		"negative depth":             {body: want + packet("deepen -1") + "0000", err: pktline.ErrMalformed},
		"two depths":                 {body: want + packet("deepen 1") + packet("deepen 2") + "0000", err: pktline.ErrMalformed},
		"two filters":                {body: want + packet("filter a") + packet("filter b") + "0000", err: pktline.ErrMalformed},
		"two commands":               {body: packet("command=ls-refs") + packet("command=fetch") + "0000", version: 2, err: pktline.ErrMalformed},
		"command not first":          {body: packet("agent=x") + packet("command=fetch") + "0000", version: 2, err: pktline.ErrMalformed},
		"two requests":               {body: packet("command=ls-refs") + "0000" + fetch + packet("want "+one) + "0000", version: 2, err: pktline.ErrMalformed},
		"two delimiters":             {body: fetch + "0001" + packet("want "+one) + "0000", version: 2, err: pktline.ErrMalformed},
		"delimiter first":            {body: "0001" + packet("command=fetch") + "0000", version: 2, err: pktline.ErrMalformed},
		"command nobody knows":       {body: packet("command=bundle-uri") + "0000", version: 2, err: pktline.ErrMalformed},
		"response end":               {body: packet("command=ls-refs") + "0002", version: 2, err: pktline.ErrMalformed},
		"want that is no id in two":  {body: fetch + packet("want refs/heads/a") + "0000", version: 2, err: pktline.ErrMalformed},
		"empty line":                 {body: fetch + "0004" + packet("want "+one) + "0000", version: 2, err: pktline.ErrMalformed},
		"ends among the arguments":   {body: fetch + packet("want "+one), version: 2, err: pktline.ErrMalformed},
		"ends among the haves":       {body: want + "0000" + have[:20], err: pktline.ErrMalformed},
		"a depth beyond all numbers": {body: want + packet("deepen 99999999999") + "0000", err: pktline.ErrMalformed},
	} {
		f, err := pktline.ReadFetch([]byte(tc.body), true, tc.version)
		if !errors.Is(err, tc.err) || f != tc.fetch {
			t.Errorf("%s: %+v, %v, want %+v, %v", name, f, err, tc.fetch, tc.err)
		}
		if clone := f.Command == "fetch" && f.Haves == 0; f.Clone() != clone {
			t.Errorf("%s: clone: %v", name, f.Clone())
		}
	}
}

func TestAFetchOfWhichTheEndIsMissingIsNoClone(t *testing.T) {
	t.Parallel()

	for version, body := range map[int]string{
		0: packet("want "+one+" ofs-delta\n") + "0000" + packet("have "+two+"\n") + packet("done\n"),
		2: packet("command=fetch") + "0001" + packet("want "+one) + packet("have "+two) + "0000",
	} {
		for n := range len(body) + 1 {
			if f, err := pktline.ReadFetch([]byte(body[:n]), false, version); !errors.Is(err, pktline.ErrIncomplete) || f.Clone() {
				t.Fatalf("version %d, %d bytes: %+v, %v", version, n, f, err)
			}
		}
	}
}

package pktline_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/connectors/pktline"
)

var (
	zero = strings.Repeat("0", 40)
	one  = strings.Repeat("1", 40)
	two  = strings.Repeat("2", 40)
)

func create(ref string) string { return zero + " " + one + " " + ref }

// capitals writes the length of the packet p, which has a letter, in capitals.
func capitals(p string) string { return strings.ToUpper(p[:4]) + p[4:] }

func TestAPushIsReadAsGitReadsItOrNotAtAll(t *testing.T) {
	t.Parallel()

	caps := "\x00 report-status atomic\n"
	certificate := func(lines ...string) string {
		body := packet("push-cert\x00report-status\n")
		for _, line := range lines {
			body += packet(line + "\n")
		}
		return body
	}
	for name, tc := range map[string]struct {
		body string
		refs string // space separated; or
		err  error
	}{
		"probe":                       {body: "0000"},
		"one ref":                     {body: packet(create("refs/heads/main")+caps) + "0000PACK", refs: "refs/heads/main"},
		"no line feed":                {body: packet(create("refs/heads/main")+"\x00") + "0000", refs: "refs/heads/main"},
		"two refs":                    {body: packet(create("refs/heads/a")+caps) + packet(create("refs/heads/b")) + "0000", refs: "refs/heads/a refs/heads/b"},
		"from a shallow clone":        {body: packet("shallow "+two) + packet(create("refs/heads/a")+caps) + "0000", refs: "refs/heads/a"},
		"length in capitals":          {body: capitals(packet(create("refs/heads/two")+caps)) + "0000", refs: "refs/heads/two"},
		"letters of any language":     {body: packet(create("refs/heads/größe")+caps) + "0000", refs: "refs/heads/größe"},
		"certificate":                 {body: certificate("certificate version 0.1", "", create("refs/heads/a"), "-----BEGIN PGP SIGNATURE-----", "x", "push-cert-end") + "0000", refs: "refs/heads/a"},
		"certificate without a name":  {body: certificate("certificate version 0.1", "", create("refs/heads/a"), "push-cert-end") + "0000", refs: "refs/heads/a"},
		"nothing":                     {err: pktline.ErrMalformed},
		"ends in a length":            {body: packet(create("refs/heads/a")+caps) + "00", err: pktline.ErrMalformed},
		"ends in a line":              {body: packet(create("refs/heads/a") + caps)[:50], err: pktline.ErrMalformed},
		"no flush":                    {body: packet(create("refs/heads/a") + caps), err: pktline.ErrMalformed},
		"length 1":                    {body: "0001" + packet(create("refs/heads/a")+caps) + "0000", err: pktline.ErrMalformed},
		"length 2":                    {body: "0002" + packet(create("refs/heads/a")+caps) + "0000", err: pktline.ErrMalformed},
		"length 3":                    {body: "0003" + packet(create("refs/heads/a")+caps) + "0000", err: pktline.ErrMalformed},
		"empty line":                  {body: "0004" + packet(create("refs/heads/a")+caps) + "0000", err: pktline.ErrMalformed},
		"length with a sign":          {body: "+069" + create("refs/heads/main") + caps + "0000", err: pktline.ErrMalformed},
		"length with a space":         {body: " 069" + create("refs/heads/main") + caps + "0000", err: pktline.ErrMalformed},
		"length beyond any packet":    {body: packet(create("refs/heads/a")+"\x00"+strings.Repeat("x", 65430)) + "0000", err: pktline.ErrMalformed},
		"the longest packet":          {body: packet(create("refs/heads/a")+"\x00"+strings.Repeat("x", 65421)) + "0000", refs: "refs/heads/a"},
		"ref twice":                   {body: packet(create("refs/heads/a")+caps) + packet(one+" "+zero+" refs/heads/a") + "0000", err: pktline.ErrMalformed},
		"capabilities missing":        {body: packet(create("refs/heads/a")) + "0000", err: pktline.ErrMalformed},
		"capabilities on line two":    {body: packet(create("refs/heads/a")+caps) + packet(create("refs/heads/b")+caps) + "0000", err: pktline.ErrMalformed},
		"capabilities on a shallow":   {body: packet("shallow "+two+caps) + packet(create("refs/heads/b")) + "0000", err: pktline.ErrMalformed},
		"capabilities that control":   {body: packet(create("refs/heads/a")+"\x00a\x1b[2J\n") + "0000", err: pktline.ErrMalformed},
		"shallow after a command":     {body: packet(create("refs/heads/a")+caps) + packet("shallow "+two) + "0000", err: pktline.ErrMalformed},
		"shallow without an id":       {body: packet("shallow main") + "0000", err: pktline.ErrMalformed},
		"two lines in a packet":       {body: packet(create("refs/heads/a\n"+create("refs/heads/b"))+caps) + "0000", err: pktline.ErrMalformed},
		"id too short":                {body: packet(one[1:]+" "+one+" refs/heads/a"+caps) + "0000", err: pktline.ErrMalformed},
		"ids of two kinds":            {body: packet(one+" "+strings.Repeat("1", 64)+" refs/heads/a"+caps) + "0000", err: pktline.ErrMalformed},
		"id that is none":             {body: packet(strings.Repeat("g", 40)+" "+one+" refs/heads/a"+caps) + "0000", err: pktline.ErrMalformed},
		"no ref":                      {body: packet(zero+" "+one+caps) + "0000", err: pktline.ErrMalformed},
		"certificate and commands":    {body: certificate("x", "", create("refs/heads/a"), "push-cert-end") + packet(create("refs/heads/b")) + "0000", err: pktline.ErrMalformed},
		"certificate after a command": {body: packet(create("refs/heads/a")+caps) + certificate("x", "", create("refs/heads/b"), "push-cert-end") + "0000", err: pktline.ErrMalformed},
		"certificate of a header":     {body: certificate("x", "push-cert-end") + "0000", err: pktline.ErrMalformed},
		"certificate cut short":       {body: certificate("x", "", create("refs/heads/a")) + "0000", err: pktline.ErrMalformed},
		"two signatures":              {body: certificate("x", "", create("refs/heads/a"), "-----BEGIN SSH SIGNATURE-----", create("refs/heads/b"), "-----BEGIN SSH SIGNATURE-----", "push-cert-end") + "0000", err: pktline.ErrMalformed},
		"two lines in a certificate":  {body: certificate("x", "", create("refs/heads/a"), "\n"+create("refs/heads/b"), "push-cert-end") + "0000", err: pktline.ErrMalformed},
		"empty line in a packet":      {body: certificate("x\n\n"+create("refs/heads/b"), "", create("refs/heads/a"), "push-cert-end") + "0000", err: pktline.ErrMalformed},
		"header that goes on":         {body: packet("push-cert\x00\n") + packet("x") + packet("\n") + packet(create("refs/heads/a")+"\n") + packet("push-cert-end\n") + "0000", err: pktline.ErrMalformed},
		"line that goes on":           {body: packet("push-cert\x00\n") + packet("x\n") + packet("\n") + packet(create("refs/heads/a")) + packet("b\n") + packet("push-cert-end\n") + "0000", err: pktline.ErrMalformed},
	} {
		p, err := pktline.ReadPush([]byte(tc.body), true)
		if !errors.Is(err, tc.err) {
			t.Errorf("%s: %v, want %v", name, err, tc.err)
		}
		var refs []string
		for _, c := range p.Commands {
			refs = append(refs, c.Ref)
		}
		if got := strings.Join(refs, " "); got != tc.refs {
			t.Errorf("%s: %q, want %q", name, got, tc.refs)
		}
	}
}

func TestTheBeginningOfAPushIsEnough(t *testing.T) {
	t.Parallel()

	head := packet(create("refs/heads/a")+"\x00report-status\n") + packet(create("refs/heads/b")) + "0000"
	body := head + "PACK" + strings.Repeat("x", 1000)
	for n := range len(body) {
		p, err := pktline.ReadPush([]byte(body[:n]), false)
		if n < len(head) && (!errors.Is(err, pktline.ErrIncomplete) || p.Commands != nil) {
			t.Fatalf("%d of %d bytes: %v, %v", n, len(head), p, err)
		}
		if n >= len(head) && (err != nil || len(p.Commands) != 2) {
			t.Fatalf("%d of %d bytes: %v, %v", n, len(head), p, err)
		}
	}
}

func TestARefIsNamedAsGitAllows(t *testing.T) {
	t.Parallel()

	for ref, ok := range map[string]bool{
		"refs/heads/main": true, "refs/heads/a/b-c_d.e": true, "refs/for/main": true, "refs/heads/@": true, "refs/heads/a@b": true, "refs/stash": true, "refs/heads/-x": true,
		"HEAD": false, "main": false, "heads/main": false, "refs": false, "refs/": false, "refs//main": false, "refs/heads/": false, "/refs/heads/a": false,
		"refs/heads/..": false, "refs/heads/a..b": false, "refs/heads/.a": false, "refs/heads/a.": false, "refs/heads/a.lock": false, "refs/a.lock/b": false,
		"refs/heads/a@{1}": false, "refs/heads/a b": false, "refs/heads/a\tb": false, "refs/heads/a\x7f": false, "refs/heads/\x1b[2J": false, "refs/heads/a\r": false,
		"refs/heads/a~1": false, "refs/heads/a^": false, "refs/heads/a:b": false, "refs/heads/a?": false, "refs/heads/*": false, "refs/heads/[a": false, `refs/heads/a\b`: false,
		"refs/heads/\xff": false, "refs/" + strings.Repeat("a", 2000): false,
	} {
		_, err := pktline.ReadPush([]byte(packet(create(ref)+"\x00\n")+"0000"), true)
		if (err == nil) != ok {
			t.Errorf("%q: %v", ref, err)
		}
	}
}

// TestGitAgreesOnNames asks git itself about what is let pass.
func TestGitAgreesOnNames(t *testing.T) {
	t.Parallel()

	var names []string
	for c := range 256 {
		names = append(names, "refs/heads/a"+string([]byte{byte(c)})+"b", "refs/heads/"+string([]byte{byte(c)}), "refs/heads/a"+string([]byte{byte(c)}))
	}
	for _, ref := range names {
		if strings.Contains(ref, "\x00") {
			continue // no argument of a program; a NUL begins the capabilities
		}
		_, err := pktline.ReadPush([]byte(packet(create(ref)+"\x00\n")+"0000"), true)
		if err != nil {
			continue
		}
		if out, ok := git(t, t.TempDir(), "check-ref-format", ref); !ok {
			t.Errorf("%q: git refuses it: %s", ref, out)
		}
	}
}

func TestALargePushIsReportedInWholePackets(t *testing.T) {
	t.Parallel()

	push := pktline.Push{Capabilities: []string{"report-status", "side-band-64k"}}
	for i := range 3000 {
		push.Commands = append(push.Commands, pktline.Command{Old: zero, New: one, Ref: "refs/heads/" + strings.Repeat("b", i%50+1) + string(rune('a'+i%26))})
	}
	var report []byte
	rest := pktline.Report(push, strings.Repeat("é", 5000)+"\x1b[2J", true)
	for {
		n := length(t, rest)
		if n == 0 {
			rest = rest[4:]
			break
		}
		if rest[4] == 1 {
			report = append(report, rest[5:n]...)
		}
		rest = rest[n:]
	}
	if len(rest) != 0 {
		t.Fatalf("%d bytes after the end", len(rest))
	}
	var lines []string
	for n := length(t, report); n != 0; n = length(t, report) {
		lines = append(lines, string(report[4:n]))
		report = report[n:]
	}
	if string(report) != "0000" || len(lines) != 3001 || lines[0] != "unpack ok\n" || slices.ContainsFunc(lines, func(l string) bool { return len(l) > 1100 || strings.Contains(l, "\x1b") }) {
		t.Errorf("%d lines, and %q", len(lines), report)
	}
	if got := pktline.Report(pktline.Push{Commands: push.Commands}, "No.", true); got != nil {
		t.Errorf("nobody asked: %q", got)
	}
}

func length(t *testing.T, data []byte) (n int) {
	t.Helper()
	for _, c := range data[:4] {
		n = n<<4 | strings.IndexByte("0123456789abcdef", c)
	}
	if n > 65520 || n > len(data) {
		t.Fatalf("a packet of %d bytes", n)
	}
	return n
}

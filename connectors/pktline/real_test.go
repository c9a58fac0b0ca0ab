package pktline_test

import (
	"bytes"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/connectors/pktline"
)

func TestAPushOfGitIsUnderstood(t *testing.T) {
	t.Parallel()

	for name, format := range map[string]string{"sha1": "--object-format=sha1", "sha256": "--object-format=sha256"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			work := s.repository(t, format)
			first := mustGit(t, work, "rev-parse", "HEAD")
			none := strings.Repeat("0", len(first))
			push := func(args ...string) pktline.Push {
				t.Helper()
				s.take()
				mustGit(t, work, append([]string{"push", "--quiet", "origin"}, args...)...)
				var push pktline.Push
				for _, r := range s.take() {
					p, err := pktline.ReadPush(r.body, true)
					if err != nil || r.service != "git-receive-pack" {
						t.Fatalf("%s: %q: %v", r.service, r.body, err)
					}
					if len(p.Commands) > 0 {
						push = p
					}
				}
				return push
			}

			p := push("main", "main:refs/tags/v1")
			want := []pktline.Command{{none, first, "refs/heads/main"}, {none, first, "refs/tags/v1"}}
			if diff := cmp.Diff(p.Commands, want); diff != "" || p.Commands[0].Kind() != "create" {
				t.Errorf("two new refs: %s", diff)
			}
			if p.Atomic || p.PushOptions || p.Signed || !slices.Contains(p.Capabilities, "object-format="+name) {
				t.Errorf("two new refs: %+v", p)
			}

			mustGit(t, work, "commit", "--quiet", "--allow-empty", "--message=second")
			second := mustGit(t, work, "rev-parse", "HEAD")
			p = push("--atomic", "--push-option=ci.skip", "main", ":v1")
			want = []pktline.Command{{first, second, "refs/heads/main"}, {first, none, "refs/tags/v1"}}
			if diff := cmp.Diff(p.Commands, want, cmp.Transformer("", func(c []pktline.Command) map[string]pktline.Command {
				byRef := map[string]pktline.Command{}
				for _, c := range c {
					byRef[c.Ref] = c
				}
				return byRef
			})); diff != "" || !p.Atomic || !p.PushOptions {
				t.Errorf("update and delete: %s, %+v", diff, p)
			}
			for _, c := range p.Commands {
				if kind := map[string]string{"refs/heads/main": "update", "refs/tags/v1": "delete"}[c.Ref]; c.Kind() != kind {
					t.Errorf("%s: %s, want %s", c.Ref, c.Kind(), kind)
				}
			}
		})
	}
}

func TestASignedPushOfGitIsUnderstood(t *testing.T) {
	t.Parallel()

	s := newServer(t)
	work := s.repository(t)
	key := filepath.Join(t.TempDir(), "key")
	if out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("ssh-keygen: %s", out)
	}
	mustGit(t, work, "config", "gpg.format", "ssh")
	mustGit(t, work, "config", "user.signingKey", key+".pub")
	mustGit(t, work, "push", "--quiet", "--signed=true", "origin", "main", "main:topic")
	var refs []string
	for _, r := range s.take() {
		p, err := pktline.ReadPush(r.body, true)
		if err != nil {
			t.Fatalf("%q: %v", r.body, err)
		}
		if p.Signed != bytes.Contains(r.body, []byte("BEGIN SSH SIGNATURE")) {
			t.Errorf("signed: %v, %q", p.Signed, r.body)
		}
		for _, c := range p.Commands {
			refs = append(refs, c.Ref)
		}
	}
	if want := []string{"refs/heads/main", "refs/heads/topic"}; !slices.Equal(refs, want) {
		t.Errorf("%v, want the commands of the certificate: %v", refs, want)
	}
}

func TestAFetchOfGitIsUnderstood(t *testing.T) {
	t.Parallel()

	for _, version := range []string{"0", "1", "2"} {
		t.Run(version, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			work := s.repository(t)
			mustGit(t, work, "push", "--quiet", "origin", "main")
			n := int(version[0] - '0')

			clone := filepath.Join(t.TempDir(), "clone")
			fetch := func(dir string, args ...string) pktline.Fetch {
				t.Helper()
				s.take()
				mustGit(t, dir, append([]string{"-c", "protocol.version=" + version}, args...)...)
				var last pktline.Fetch
				for _, r := range s.take() {
					if got := strings.TrimPrefix(r.protocol, "version="); got != version && version != "0" {
						t.Errorf("version %q", r.protocol)
					}
					f, err := pktline.ReadFetch(r.body, true, n)
					if err != nil {
						t.Fatalf("%q: %v", r.body, err)
					}
					if f.Command != "ls-refs" {
						last = f
					}
				}
				return last
			}

			f := fetch(work, "clone", "--quiet", "--depth=3", "--filter=blob:none", "--no-checkout", s.URL+"/site.git", clone)
			if want := (pktline.Fetch{Command: "fetch", Wants: f.Wants, Done: true, Depth: 3, Filter: "blob:none"}); f != want || f.Wants == 0 || !f.Clone() {
				t.Errorf("clone: %+v, want %+v", f, want)
			}
			mustGit(t, work, "commit", "--quiet", "--allow-empty", "--message=second")
			mustGit(t, work, "push", "--quiet", "origin", "main")
			f = fetch(clone, "fetch", "--quiet", "origin")
			if f.Command != "fetch" || f.Wants == 0 || f.Haves == 0 || f.Clone() {
				t.Errorf("fetch: %+v, want one with haves", f)
			}
		})
	}
}

func TestGitPrintsWhyAPushIsRefused(t *testing.T) {
	t.Parallel()

	const sentence = "Pushes to main need an approval.\nAsk for one."
	for name, tc := range map[string]struct {
		sideBand bool
		drop     string // a capability that the server does not have
		remote   bool
	}{
		"with the side band":          {sideBand: true, remote: true},
		"without a message":           {sideBand: false},
		"a server without side band":  {sideBand: true, drop: " side-band-64k"},
		"a server without version 2":  {sideBand: true, drop: " report-status-v2", remote: true},
		"a server without either one": {sideBand: true, drop: " report-status report-status-v2"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newServer(t)
			work := s.repository(t)
			s.instead(func(w http.ResponseWriter, r *http.Request, body []byte) bool {
				if strings.HasSuffix(r.URL.Path, "/info/refs") {
					ad := " report-status report-status-v2 delete-refs side-band-64k quiet atomic ofs-delta object-format=sha1 "
					w.Header().Set("Content-Type", "application/x-git-receive-pack-advertisement")
					_, _ = w.Write(advertisement(strings.Replace(ad, tc.drop, "", 1)))
					return true
				}
				push, err := pktline.ReadPush(body, true)
				if err != nil {
					t.Errorf("%q: %v", body, err)
				}
				w.Header().Set("Content-Type", "application/x-git-receive-pack-result")
				_, _ = w.Write(pktline.Report(push, sentence, tc.sideBand))
				return true
			})
			out, ok := git(t, work, "push", "origin", "main", "main:topic")
			if strings.HasPrefix(tc.drop, " report-status report") {
				// It cannot be told. It is for the caller to answer with a status.
				if strings.Contains(out, "[remote rejected]") {
					t.Errorf("without a report: %s", out)
				}
				return
			}
			const line = "Pushes to main need an approval. Ask for one."
			for _, want := range []string{"[remote rejected] main -> main (" + line + ")", "[remote rejected] main -> topic (" + line + ")"} {
				if !strings.Contains(out, want) || ok {
					t.Errorf("ok %v, %s\nwant %s", ok, out, want)
				}
			}
			if strings.Contains(out, "remote: "+line) != tc.remote {
				t.Errorf("%s\nwant a message of the remote: %v", out, tc.remote)
			}
		})
	}
}

// advertisement is that of an empty repository.
func advertisement(capabilities string) []byte {
	line := strings.Repeat("0", 40) + " capabilities^{}\x00" + capabilities + "\n"
	return []byte("001f# service=git-receive-pack\n0000" + packet(line) + "0000")
}

func TestGitPrintsWhyAFetchIsRefused(t *testing.T) {
	t.Parallel()

	const sentence = "Nobody may clone this."
	for name, path := range map[string]string{"where it asks for the refs": "/info/refs", "where it asks for objects": "/git-upload-pack"} {
		for _, version := range []string{"0", "2"} {
			t.Run(name+" in version "+version, func(t *testing.T) {
				t.Parallel()
				s := newServer(t)
				work := s.repository(t)
				mustGit(t, work, "push", "--quiet", "origin", "main")
				s.instead(func(w http.ResponseWriter, r *http.Request, _ []byte) bool {
					if !strings.HasSuffix(r.URL.Path, path) {
						return false
					}
					kind := "result"
					if r.Method == http.MethodGet {
						kind = "advertisement"
					}
					w.Header().Set("Content-Type", "application/x-git-upload-pack-"+kind)
					_, _ = w.Write(pktline.Refusal(sentence))
					return true
				})
				out, ok := git(t, work, "-c", "protocol.version="+version, "clone", s.URL+"/site.git", filepath.Join(t.TempDir(), "clone"))
				if want := "remote error: " + sentence; ok || !strings.Contains(out, want) {
					t.Errorf("ok %v, %s\nwant %s", ok, out, want)
				}
			})
		}
	}
}

func TestRecordedBodiesAreUnderstood(t *testing.T) {
	t.Parallel()

	files, err := filepath.Glob("testdata/*.bin")
	if err != nil || len(files) < 8 {
		t.Fatalf("%d recorded bodies, %v", len(files), err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := filepath.Base(file)
		if strings.HasPrefix(name, "push") {
			_, err = pktline.ReadPush(data, true)
		} else {
			_, err = pktline.ReadFetch(data, true, int(name[len("fetch-")]-'0'))
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

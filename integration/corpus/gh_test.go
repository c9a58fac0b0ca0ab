package corpus_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const mergePath = "repos/acme/site/pulls/12/merge"

// manyMerges merges by fragments, aliases and variables at once.
const manyMerges = `mutation Many($id: ID!, $how: PullRequestMergeMethod) { ...rest a: mergePullRequest(input: {pullRequestId: $id, mergeMethod: $how}) { ...all } }
fragment rest on Mutation { b: mergePullRequest(input: {pullRequestId: "PR_2"}) { ...all } }
fragment all on MergePullRequestPayload { clientMutationId }`

// ghCommands are what people type, without the repository.
var ghCommands = []string{
	"pr view 12 --json title,state,baseRefName",
	"pr list",
	"pr create --title Ship --body It --head feature --base main",
	"pr merge 12 --merge",
	"pr merge 12 --squash",
	"pr merge 13 --auto --merge",
	"pr close 12",
	"pr review 12 --approve",
	"pr comment 12 --body hello",
	"pr edit 12 --title Ships",
	"issue create --title Broken --body It",
	"issue close 3",
	"issue comment 3 --body hello",
	"issue list",
	"release create v1 --notes n --target main",
	"release upload v1 asset.txt",
	"release delete v1 --yes",
	"secret set TOKEN --body v",
	"secret delete TOKEN",
	"workflow run deploy.yml --ref main",
	"run list",
	"label create urgent --color ff0000",
	"repo view acme/site --json name",
	"repo edit acme/site --default-branch main",
	"repo delete acme/site --confirm",
	"api --silent user",
	"api --silent -X PUT " + mergePath + " -f merge_method=merge",
}

// gh runs commands of gh, one after the other, in one run.
func (s *stage) gh(t *testing.T, gateway string, commands ...string) (string, error) {
	t.Helper()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "asset.txt"), []byte("hello"), 0o600); err != nil {
		t.Fatal(err)
	}
	script := sayRun + "export TMPDIR=$PWD XDG_CACHE_HOME=$PWD/cache\n" + // gh keeps answers for a day
		"git init -q && git remote add origin https://github.com/acme/site.git\nok=0\n"
	for _, c := range commands {
		script += "gh " + c + " || { echo \"exit $?: " + strings.ReplaceAll(c, `"`, "") + "\"; ok=1; }\n"
	}
	return s.run(t, gateway, dir, []string{"GH_REPO=acme/site"}, "sh", "-c", script+"exit $ok")
}

func TestGHWorksUnmodifiedWithADummyKey(t *testing.T) {
	t.Parallel()

	s := open(t)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.services.Take()
	query := `api --silent graphql -F id=PR_1 -F how=SQUASH -f query='` + manyMerges + `'`
	out, err := s.gh(t, "agent", append(ghCommands, query)...)
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	s.sentAsRecorded(t, "gh", runOf(out))
}

package standin

import (
	"encoding/json"
	"net/http"
	"strings"
)

// githubAPI answers as GitHub's REST and GraphQL do to the requests that its
// own clients send. In REST a client passes over what it does not look for, so
// an answer has everything that any of them does.
func githubAPI(w http.ResponseWriter, r *http.Request, content []byte) {
	path := strings.TrimPrefix(r.URL.Path, "/repos/acme/site")
	w.Header().Set("X-OAuth-Scopes", "repo, workflow, delete_repo")
	switch {
	case r.URL.Path == "/graphql":
		var asked struct {
			Query     string `json:"query"`
			Variables struct {
				Number int `json:"pr_number"`
			} `json:"variables"`
		}
		if err := json.Unmarshal(content, &asked); err != nil {
			reply(w, http.StatusBadRequest, map[string]any{"message": "Problems parsing JSON"})
			return
		}
		reply(w, http.StatusOK, map[string]any{"data": selectionOf(asked.Query).of(graphqlData(asked.Variables.Number))})
	case r.Method == http.MethodDelete, path == "/actions/workflows/7/dispatches":
		w.WriteHeader(http.StatusNoContent)
	case path == "/actions/secrets/public-key":
		reply(w, http.StatusOK, map[string]any{"key_id": "1", "key": "2Sg8iYjAxxmI2LvUXpJjkYrMxURPc8r+dB7TJyvvcCU="})
	case path == "/actions/workflows/deploy.yml" || path == "/actions/workflows/7":
		reply(w, http.StatusOK, map[string]any{"id": 7, "name": "Deploy", "path": ".github/workflows/deploy.yml", "state": "active"})
	case path == "/actions/runs":
		reply(w, http.StatusOK, map[string]any{"total_count": 0, "workflow_runs": []any{}})
	case strings.HasPrefix(path, "/releases"):
		reply(w, created(r), map[string]any{
			"id": 77, "tag_name": "v1", "html_url": "https://github.com/acme/site/releases/v1", "url": "https://api.github.com/repos/acme/site/releases/77",
			"upload_url": "https://uploads.github.com/repos/acme/site/releases/77/assets{?name,label}", "assets": []any{}, "draft": true, "state": "uploaded",
		})
	case path == "/contents/docs/a.md":
		reply(w, http.StatusOK, map[string]any{"type": "file", "path": "docs/a.md", "encoding": "base64", "content": "aGVsbG8="})
	default:
		reply(w, created(r), map[string]any{
			"id": 1, "node_id": "R_1", "number": 12, "login": "acme-bot", "name": "site", "full_name": "acme/site", "default_branch": "main",
			"owner": map[string]any{"login": "acme", "id": 1, "node_id": "O_1"}, "merged": true, "html_url": "https://github.com/acme/site",
			"total_count": 0, "items": []any{},
		})
	}
}

func created(r *http.Request) int {
	if r.Method == http.MethodPost {
		return http.StatusCreated
	}
	return http.StatusOK
}

// graphqlData are the root fields that clients ask for. Pull request 13 cannot
// be merged yet, and all others can.
func graphqlData(number int) map[string]any {
	const at = "https://github.com/acme/site"
	status := "CLEAN"
	if number == 13 {
		status = "BLOCKED"
	}
	owner := map[string]any{"id": "O_1", "login": "acme"}
	pull := map[string]any{
		"__typename": "PullRequest", "id": "PR_1", "number": number, "state": "OPEN", "title": "Ship it", "body": "", "url": at + "/pull/12", "mergeStateStatus": status, "mergeable": "MERGEABLE",
		"headRefName": "feature", "baseRefName": "main", "headRepository": map[string]any{"id": "R_1", "name": "site"}, "headRepositoryOwner": owner, "author": owner,
		"commits": map[string]any{"nodes": []any{}, "totalCount": 1}, "projectItems": list(), "isDraft": false,
	}
	issue := map[string]any{"__typename": "Issue", "id": "I_1", "number": 3, "state": "OPEN", "title": "Broken", "url": at + "/issues/3", "author": owner}
	repository := map[string]any{
		"id": "R_1", "name": "site", "nameWithOwner": "acme/site", "owner": owner, "url": at, "hasIssuesEnabled": true, "viewerPermission": "WRITE", "isPrivate": true,
		"defaultBranchRef": map[string]any{"name": "main"}, "release": map[string]any{"databaseId": 77, "isDraft": false, "tagName": "v1"}, "mergeCommitAllowed": true, "squashMergeAllowed": true, "rebaseMergeAllowed": true, "viewerDefaultMergeMethod": "MERGE",
		"pullRequest": pull, "issue": issue, "pullRequests": list(), "issues": list(), "labels": list(), "projectsV2": list(), "milestones": list(), "projects": list(), "assignableUsers": list(),
	}
	done := map[string]any{"clientMutationId": nil, "pullRequest": pull, "issue": issue, "commentEdge": map[string]any{"node": map[string]any{"url": at + "/issues/3#issuecomment-1"}}, "repository": repository}
	data := map[string]any{
		"viewer": owner, "repository": repository, "organization": owner, "user": owner, "search": list(), "node": issue,
		"__type": map[string]any{"fields": []any{map[string]any{"name": "stateReason"}}},
	}
	for _, mutation := range []string{
		"mergePullRequest", "enablePullRequestAutoMerge", "createPullRequest", "closePullRequest", "addPullRequestReview", "updatePullRequest",
		"createIssue", "closeIssue", "addComment", "updateIssue",
	} {
		data[mutation] = done
	}
	return data
}

func list() map[string]any {
	return map[string]any{"nodes": []any{}, "edges": []any{}, "totalCount": 0, "pageInfo": map[string]any{"hasNextPage": false, "endCursor": ""}}
}

// Command agent is a small process that does what agents do: it reads, it
// tries something it should not, and it merges. It knows nothing of TameFlare
// and has no credential that works.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"
)

// steps are the requests that it makes, one after the other.
var steps = []struct {
	name, method, path, body string
}{
	{"read the repository", "GET", "/repos/acme/site", ""},
	{"delete the repository", "DELETE", "/repos/acme/site", ""},
	{"merge pull request 12", "PUT", "/repos/acme/site/pulls/12/merge", `{"merge_method":"squash"}`},
}

// Result is one line of its output.
type Result struct {
	Step   string `json:"step"`
	Status int    `json:"status"`
	Says   string `json:"says"`
}

func main() {
	client := &http.Client{Timeout: 30 * time.Minute}
	out := json.NewEncoder(os.Stdout)
	for _, s := range steps {
		fmt.Fprintf(os.Stderr, "agent: I will %s\n", s.name)
		status, says, err := do(client, s.method, s.path, s.body)
		for err == nil && status == http.StatusServiceUnavailable { // still waiting for a person: ask again
			status, says, err = do(client, s.method, s.path, s.body)
		}
		if err != nil {
			fmt.Fprintf(os.Stderr, "agent: %v\n", err)
			os.Exit(1)
		}
		fmt.Fprintf(os.Stderr, "agent: %d %s\n", status, says)
		if err := out.Encode(Result{s.name, status, says}); err != nil {
			os.Exit(1)
		}
	}
}

func do(client *http.Client, method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(context.Background(), method, "https://api.github.com"+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	req.Header.Set("Authorization", "Bearer "+os.Getenv("GITHUB_TOKEN")) // a dummy
	req.Header.Set("User-Agent", "sample-agent")
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := client.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return 0, "", err
	}
	var said struct {
		Message  string `json:"message"`
		FullName string `json:"full_name"`
	}
	if json.Unmarshal(answer, &said) == nil {
		answer = []byte(said.Message + said.FullName)
	}
	return res.StatusCode, string(bytes.TrimSpace(answer)), nil
}

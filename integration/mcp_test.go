package integration_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/tameflare/tameflare/integration/standin"
)

const mcpToken = "t0ken-of-the-mcp-server"

const mcpDocument = `version: 1
credentials:
  - {name: mcp-token, connector: mcp, from: {env: MCP_TOKEN}, hosts: [mcp.example.com]}
gateways:
  - name: agent
    connectors:
      - type: mcp
        hosts: [mcp.example.com]
        credential: mcp-token
        rules:
          - {action: mcp.*, decision: allow}
          - {action: mcp.tools.call, when: {tool: "delete_*"}, decision: deny, reason: Nothing is deleted here.}
          - {action: mcp.tools.call, when: {tool: write_file, arg.path: "/etc/*"}, decision: deny}
`

// mcpClients returns the folder of the MCP server and client, with what they
// need.
func mcpClients(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs("clients/mcp")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules/@modelcontextprotocol/sdk/package.json")); err == nil {
		return dir
	}
	install := exec.CommandContext(t.Context(), "npm", "ci", "--loglevel=error", "--no-audit", "--no-fund")
	install.Dir = dir
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("the packages of %s could not be fetched: %v\n%s", dir, err, out)
	}
	return dir
}

// mcpServer starts the server and returns where it is, and what it has printed
// once it has been stopped.
func mcpServer(t *testing.T, dir string, ca *standin.CA) (addr string, stop func() []string) {
	t.Helper()
	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	certPEM, keyPEM, err := ca.LeafPEM("mcp.example.com")
	if err != nil {
		t.Fatal(err)
	}
	for file, data := range map[string][]byte{cert: certPEM, key: keyPEM} {
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "node", "server.mjs", cert, key)
	cmd.Dir, cmd.Env, cmd.WaitDelay = dir, append(os.Environ(), "MCP_TOKEN="+mcpToken), 5*time.Second
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	lines.Scan()
	port, ok := strings.CutPrefix(lines.Text(), "listening on ")
	if !ok {
		cancel()
		_ = cmd.Wait()
		t.Fatalf("the MCP server does not start: %q\n%s", lines.Text(), said.Bytes())
	}
	stop = func() (all []string) {
		if ctx.Err() != nil {
			return nil
		}
		cancel()
		for lines.Scan() {
			all = append(all, lines.Text())
		}
		_ = cmd.Wait() // it was killed
		return all
	}
	t.Cleanup(func() { stop() })
	return "127.0.0.1:" + port, stop
}

// A person's rules on tools, with the SDK on both sides.
func TestMCPClientsSeeAndCallWhatTheyMay(t *testing.T) {
	t.Parallel()

	dir := mcpClients(t)
	ca, err := standin.NewCA()
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, "", "")
	if err := w.Apply(t.Context(), []byte(mcpDocument), "MCP_TOKEN="+mcpToken); err != nil {
		t.Fatal(err)
	}
	roots := w.Path("mcp-ca.pem")
	if err := os.WriteFile(roots, ca.PEM(), 0o600); err != nil {
		t.Fatal(err)
	}
	addr, stop := mcpServer(t, dir, ca)
	for _, path := range []string{"/mcp", "/json"} { // with events, and with JSON
		out, err := w.Do(t.Context(), "", "tameflare", "run", "--gateway", "agent", "--no-input", "--connect-to", "mcp.example.com:443:"+addr, "--upstream-ca", roots, "--",
			"node", filepath.Join(dir, "client.mjs"), "https://mcp.example.com"+path)
		if err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		type answer struct {
			Status     int
			Type, Text string
		}
		var came struct {
			Tools                                   []string
			Time, Wrote, Forbidden, Denied, Counted string
			Steps                                   int
			Batch, DeniedBatch                      answer
			Announced                               string
			Changed                                 bool
		}
		if err := json.Unmarshal([]byte(out), &came); err != nil {
			t.Fatalf("%s: %v\n%s", path, err, out)
		}
		if want := []string{"get_time", "write_file", "count", "announce"}; !slices.Equal(came.Tools, want) {
			t.Errorf("%s: the tools are %v, want %v", path, came.Tools, want)
		}
		if came.Time != "noon" || came.Wrote != "wrote /tmp/a" || came.Counted != "counted" {
			t.Errorf("%s: calls were answered with %q, %q and %q", path, came.Time, came.Wrote, came.Counted)
		}
		if !strings.Contains(came.Denied, "Nothing is deleted here.") || !strings.Contains(came.Forbidden, "where arg.path is /etc/* and tool is write_file denies it") {
			t.Errorf("%s: the client prints %q and %q, want our sentences", path, came.Denied, came.Forbidden)
		}
		if b := came.Batch; b.Status != 200 || !strings.Contains(b.Text, `"get_time"`) || !strings.Contains(b.Text, `noon`) || strings.Contains(b.Text, "delete_all") {
			t.Errorf("%s: the batch: %+v", path, b)
		}
		if b := came.DeniedBatch; b.Status != 403 || strings.Count(b.Text, "Nothing is deleted here.") < 2 || !strings.HasPrefix(b.Text, `[{"jsonrpc":"2.0","id":"batch-0",`) {
			t.Errorf("%s: the batch with a tool that is denied: %+v", path, b)
		}
		if path == "/mcp" && (came.Steps == 0 || came.Announced != "announced" || !came.Changed) {
			t.Errorf("%s: %d steps of progress, %q, the list changed: %v", path, came.Steps, came.Announced, came.Changed)
		}
	}
	called := stop()
	if slices.Contains(called, "called delete_all") || !slices.Contains(called, "called get_time") {
		t.Errorf("the server saw %q", called)
	}
}

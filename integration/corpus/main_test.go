package corpus_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/integration/standin"
	"github.com/tameflare/tameflare/integration/world"
)

func TestMain(m *testing.M) {
	var err error
	if shared.bin, err = os.MkdirTemp("", "tameflare-bin-"); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	status := m.Run()
	if err := tidy(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = max(status, 1)
	}
	os.Exit(status)
}

// stage is what all clients run on: one installation, whose gateways reach
// stand-ins for the services.
type stage struct {
	*world.World
	services *standin.Services
	node     string

	mu sync.Mutex // held while a client runs whose requests are looked at
}

// gateways: agent may do anything. At strict some things are refused, and at
// careful some wait for a person.
const document = `version: 1
credentials:
  - {name: github-bot, connector: github, from: {env: KEY_GITHUB}}
  - {name: openai-bot, connector: openai, from: {env: KEY_OPENAI}}
  - {name: anthropic-bot, connector: anthropic, from: {env: KEY_ANTHROPIC}}
  - {name: stripe-bot, connector: stripe, from: {env: KEY_STRIPE}}
  - {name: slack-bot, connector: slack, from: {env: KEY_SLACK}}
gateways:
  - name: agent
    connectors:
      - {type: github, credential: github-bot, rules: [{action: "github.*", decision: allow}]}
      - {type: openai, credential: openai-bot, rules: [{action: "openai.*", decision: allow}]}
      - {type: anthropic, credential: anthropic-bot, rules: [{action: "anthropic.*", decision: allow}]}
      - {type: stripe, credential: stripe-bot, rules: [{action: "stripe.*", decision: allow}]}
      - {type: slack, credential: slack-bot, rules: [{action: "slack.*", decision: allow}]}
  - name: strict
    connectors:
      - type: github
        credential: github-bot
        rules:
          - {action: "github.*", decision: allow}
          - {action: github.pr.merge, decision: deny, reason: ` + sentence + `}
          - {action: github.repo.push, when: {ref: refs/heads/main}, decision: deny, reason: ` + sentence + `}
      - {type: openai, credential: openai-bot, rules: [{action: "openai.*", decision: deny, reason: ` + sentence + `}]}
      - {type: anthropic, credential: anthropic-bot, rules: [{action: "anthropic.*", decision: deny, reason: ` + sentence + `}]}
      - {type: stripe, credential: stripe-bot, rules: [{action: "stripe.*", decision: deny, reason: ` + sentence + `}]}
      - {type: slack, credential: slack-bot, rules: [{action: "slack.*", decision: deny, reason: ` + sentence + `}]}
  - name: careful
    connectors:
      - type: github
        credential: github-bot
        rules:
          - {action: "github.*", decision: allow}
          - {action: github.pr.merge, decision: require_approval, hold: 60s, ttl: 10m}
          - {action: github.repo.push, when: {ref: refs/heads/main}, decision: require_approval, hold: 60s, ttl: 10m}
`

// sentence is ours, and what a client that is refused has to print.
const sentence = "Only people of Acme do this."

// shared is the stage of all tests, and the folder with the programs.
var shared struct {
	once  sync.Once
	stage *stage
	err   error
	bin   string
}

// open returns the stage, which the first who asks sets up.
func open(t *testing.T) *stage {
	t.Helper()
	shared.once.Do(func() { shared.stage, shared.err = setUp(t) })
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.stage
}

func setUp(t *testing.T) (*stage, error) {
	node, err := node(t)
	if err != nil {
		return nil, err
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-o", shared.bin+string(filepath.Separator), "../../app/tameflare-server", "../../gateway/tameflare-gateway", "../../cli/tameflare")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the programs: %w\n%s", err, out)
	}
	w, err := world.New(shared.bin, "")
	if err != nil {
		return nil, err
	}
	s := &stage{World: w, node: node, services: standin.NewServices(w.Path("repos"), connectors.FindDummy)}
	shared.stage = s // to be closed, whatever happens next
	ca, err := standin.NewCA()
	if err != nil {
		return nil, err
	}
	if err := os.WriteFile(w.Path("services-ca.pem"), ca.PEM(), 0o600); err != nil {
		return nil, err
	}
	if err := s.services.Start(ca); err != nil {
		return nil, err
	}
	if err := w.SetUp(t.Context()); err != nil {
		return nil, err
	}
	var keys []string
	for kind, key := range s.services.Keys {
		keys = append(keys, "KEY_"+strings.ToUpper(kind)+"="+key)
	}
	return s, w.Apply(t.Context(), []byte(document), keys...)
}

func tidy() error {
	defer os.RemoveAll(shared.bin)
	if shared.stage == nil {
		return nil
	}
	err := shared.stage.World.Close()
	if served := shared.stage.services.Close(); err == nil {
		err = served
	}
	return err
}

// node returns a Node that reads the proxy from its environment, having
// installed it and the clients in the versions of the lock file.
func node(t *testing.T) (string, error) {
	made := "clients/node_modules/.made-from"
	lock, err := os.ReadFile("clients/package-lock.json")
	if err != nil {
		return "", err
	}
	if was, err := os.ReadFile(made); err != nil || string(was) != string(lock) {
		// Not npm ci: it refuses a lock file without the builds for other systems, which not every registry has.
		install := exec.CommandContext(t.Context(), "npm", "install", "--no-save", "--loglevel=error")
		install.Dir = "clients"
		if out, err := install.CombinedOutput(); err != nil {
			return "", fmt.Errorf("the clients could not be installed; is the npm registry within reach? %w\n%s", err, out)
		}
		if err := os.WriteFile(made, lock, 0o600); err != nil {
			return "", err
		}
	}
	found, err := filepath.Glob("clients/node_modules/node-linux-*/bin/node")
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm has installed %d builds of Node for this machine, want 1: %v", len(found), found)
	}
	return filepath.Abs(found[0])
}

// longest is how long a run of a client may take. Those that try again and
// again are cut off by it.
const longest = 90 * time.Second

// run runs a command under a gateway, and returns what it printed to either
// stream.
func (s *stage) run(t *testing.T, gateway, dir string, env []string, command ...string) (string, error) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), longest)
	defer cancel()
	cmd, _ := s.Command(ctx, "tameflare", append([]string{
		"run", "--quiet", "--gateway", gateway, "--no-input", "--connect-to", s.services.Ways(), "--upstream-ca", s.Path("services-ca.pem"), "--",
	}, command...)...)
	cmd.Dir = dir
	cmd.Env = slices.Concat(cmd.Env, gitEnv(s), []string{"GH_CONFIG_DIR=" + s.Path("gh"), "GH_NO_UPDATE_NOTIFIER=1", "GH_PROMPT_DISABLED=1"}, env)
	cmd.Stderr = nil
	out, err := cmd.CombinedOutput()
	return string(out), err
}

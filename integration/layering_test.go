package integration_test

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/tameflare/tameflare/"

// mayImport lists, for each room, what it may import of this module. A room is
// a top-level folder, or a folder of app or domain; it speaks for what is below it.
var mayImport = map[string]string{
	// The words. They do no I/O and know nothing of how they are stored or sent.
	"domain/action":      "domain/fault",
	"domain/address":     "domain/fault",
	"domain/approval":    "domain/fault domain/action domain/audit domain/page domain/team",
	"domain/audit":       "domain/fault domain/action domain/page",
	"domain/config":      "domain/fault domain/action domain/credential domain/policy domain/fleet domain/definition domain/yamldoc",
	"domain/credential":  "domain/fault",
	"domain/definition":  "domain/fault domain/action domain/credential",
	"domain/fault":       "",
	"domain/integration": "",
	"domain/outbox":      "",
	"domain/fleet":       "domain/fault domain/action domain/credential domain/policy domain/definition",
	"domain/page":        "domain/fault",
	"domain/policy":      "domain/fault domain/action domain/yamldoc", // of which only what reads documents needs the last
	"domain/team":        "domain/fault domain/audit",
	"domain/yamldoc":     "domain/fault",
	"domain/wire":        "domain/fault domain/action domain/approval domain/credential domain/policy domain/definition",
	"connectors":         "domain/*",

	"domain/rest": "domain/*",

	// The server: what it stands on,
	"static":       "",
	"views":        "domain/* connectors static",
	"migrations":   "",
	"app/identity": "domain/*",
	"app/store":    "domain/* migrations app/identity", // the authority's rows
	"app/bus":      "app/store",

	// its capabilities, which declare what they need of the store and name its
	// values, and use each other only where one is made of the others,
	"app/vault":         "domain/*",
	"app/oauth":         "domain/* app/outbound",
	"app/accounts":      "domain/* app/store",
	"app/gateways":      "domain/* connectors app/bus app/store app/identity",
	"app/rollout":       "domain/* connectors app/bus app/store app/identity",
	"app/policies":      "domain/* connectors app/bus app/store",
	"app/judge":         "domain/* connectors app/store",
	"app/replay":        "domain/* connectors app/judge app/store",
	"app/proposals":     "domain/* connectors app/bus app/gateways app/judge app/store",
	"app/approvals":     "domain/* app/bus app/store app/vault",
	"app/groups":        "domain/* app/store",
	"app/kills":         "domain/* app/bus app/store",
	"app/outbound":      "domain/*",
	"app/integrations":  "domain/* app/bus app/store app/vault",
	"app/outbox":        "domain/* app/bus app/store",
	"app/slack":         "domain/* connectors app/bus app/store app/vault app/outbox",
	"app/hooks":         "domain/* connectors app/bus app/store app/vault app/outbound app/outbox",
	"app/mail":          "domain/* app/store app/outbox",
	"app/trail":         "domain/* app/bus app/store",
	"app/configuration": "domain/* connectors app/bus app/store app/gateways app/groups app/vault app/policies",

	// its three doors, which speak the capabilities' values, and its main.
	"app/link":             "domain/* app/approvals app/gateways app/trail",
	"app/api":              "domain/* connectors app/bus app/accounts app/approvals app/gateways app/kills app/policies app/judge app/replay",
	"app/web":              "domain/* connectors views static app/bus app/store app/approvals app/groups app/hooks app/integrations app/mail app/outbox app/slack app/accounts app/gateways app/kills app/trail app/vault app/policies app/judge app/replay app/proposals",
	"app/tameflare-server": "domain/* connectors static app/*",

	// The programs that run elsewhere.
	"gateway": "domain/* connectors",
	"cli":     "domain/* connectors gateway",

	"integration": "*",
}

// onlyIn lists, for what comes from outside, the rooms that may import it.
var onlyIn = map[string]string{
	"github.com/uptrace/bun":            "app/store",
	"github.com/jackc/pgx":              "app/store app/bus",
	"modernc.org/sqlite":                "app/store",
	"github.com/pressly/goose":          "migrations",
	"github.com/smallstep/certificates": "app/identity",
	"go.step.sm/crypto":                 "app/identity",
	"github.com/stripe/stripe-go":       "app/billing",
	"github.com/a-h/templ":              "views app/web",
	"github.com/gorilla/sessions":       "app/accounts app/web",
	"github.com/alexedwards/argon2id":   "app/accounts",
	"github.com/spf13/cobra":            "cli app/tameflare-server gateway",
	"github.com/zalando/go-keyring":     "cli",
	"github.com/hashicorp/golang-lru":   "gateway",
	"github.com/slack-go/slack":         "app/slack integration",
	"github.com/wneessen/go-mail":       "app/mail",
	"github.com/chromedp":               "integration",
	"cel.dev/cel-go":                    "domain/policy", // only its folder cel
}

func room(pkg string) string {
	p := strings.Split(strings.TrimPrefix(pkg, module), "/")
	if (p[0] == "app" || p[0] == "domain") && len(p) > 1 {
		return p[0] + "/" + p[1]
	}
	return p[0]
}

func TestRoomsImportWhatTheyMay(t *testing.T) {
	t.Parallel()

	out, err := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	for dec := json.NewDecoder(strings.NewReader(string(out))); ; {
		var pkg struct {
			ImportPath string
			Imports    []string
		}
		if err := dec.Decode(&pkg); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		from := room(pkg.ImportPath)
		allowed, known := mayImport[from]
		if !known {
			t.Errorf("%s: no rule for this room; add one", from)
		}
		for _, imp := range pkg.Imports {
			for outside, homes := range onlyIn {
				if (imp == outside || strings.HasPrefix(imp, outside+"/")) && !slices.Contains(strings.Fields(homes), from) {
					t.Errorf("%s imports %s, which belongs in %s", pkg.ImportPath, imp, homes)
				}
			}
			if to := room(imp); strings.HasPrefix(imp, module) && to != from && !admits(strings.Fields(allowed), to) {
				t.Errorf("%s may not import %s", pkg.ImportPath, imp)
			}
		}
	}
}

func admits(rooms []string, to string) bool {
	return slices.ContainsFunc(rooms, func(r string) bool {
		parent, all := strings.CutSuffix(r, "*")
		return r == to || all && strings.HasPrefix(to, parent)
	})
}

// What runs on people's machines stays small: nothing of the server's is in it.
func TestGatewayLinksNothingOfTheServers(t *testing.T) {
	t.Parallel()

	for _, program := range []string{"gateway/tameflare-gateway", "cli/tameflare"} {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", module+program).Output()
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		for dep := range strings.Lines(string(out)) {
			for _, forbidden := range []string{"smallstep", "step.sm", "stripe", "badger", "a-h/templ", "uptrace/bun", "modernc.org", "jackc/pgx", module + "app/", module + "views"} {
				if strings.Contains(dep, forbidden) {
					t.Errorf("%s links %s", program, strings.TrimSpace(dep))
				}
			}
		}
	}
}

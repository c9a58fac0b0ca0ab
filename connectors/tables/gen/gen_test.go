package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheTablesAreWhatTheirSourcesMake(t *testing.T) {
	t.Parallel()

	if err := run("..", filepath.Join("..", "..", "..", "docs", "actions"), true); err != nil {
		t.Error(err)
	}
}

func TestAMistakeInTheSourcesIsSaid(t *testing.T) {
	t.Parallel()

	const (
		facts   = "method\tpath\toperation_id\ttag\nGET\t/a\tlist-a\tas\nPOST\t/a\tmake-a\tas\n"
		actions = "x.a.list\tread\tlow\tyes\tlist\nx.a.create\twrite\tlow\tno\tmake {resource}\n"
		naming  = "GET /a\t-\tx.a.list\t-\t-\nPOST /a\t-\tx.a.create\t.name\t{.name}\n"
	)
	for name, tt := range map[string]struct{ facts, actions, naming, want string }{
		"none":                          {facts, actions, naming, ""},
		"an operation without a name":   {facts + "PUT\t/a\tput-a\tas\n", actions, naming, "PUT /a has no row without a condition"},
		"only with a condition":         {facts, actions, strings.Replace(naming, "/a\t-\tx.a.c", "/a\t.b\tx.a.c", 1), "POST /a has no row without a condition"},
		"a name without an operation":   {facts, actions, naming + "PUT /a\t-\tx.a.create\t-\t-\n", "a + before it"},
		"a + before what is listed":     {facts, actions, naming + "+GET /a\t-\tx.a.list\t-\t-\n", "a + before it"},
		"a row that is never reached":   {facts, actions, naming + "POST /a\t.b\tx.a.list\t-\t-\n", "never reached"},
		"an action that is not there":   {facts, actions, strings.Replace(naming, "x.a.create", "x.a.make", 1), "x.a.make is not in actions.tsv"},
		"an action of no operation":     {facts, actions + "x.b.get\tread\tlow\tyes\tread\n", naming, "no operation is x.b.get"},
		"an action twice":               {facts, actions + "x.a.list\tadmin\tlow\tyes\tlist\n", naming, "x.a.list is there twice"},
		"an action of another service":  {facts, actions + "y.b.get\tread\tlow\tyes\tread\n", naming, "is not x.resource.verb"},
		"an action of two words":        {facts, actions + "x.get\tread\tlow\tyes\tread\n", naming, "is not x.resource.verb"},
		"too few columns":               {facts, actions, naming + "+PUT /a\t-\tx.a.list\n", "3 columns, want 5"},
		"a second that is not there":    {facts, actions, strings.Replace(naming, "x.a.create\t", "x.a.create+x.a.burn\t", 1), "x.a.burn is not in actions.tsv"},
		"a second that is there":        {facts, actions, strings.Replace(naming, "x.a.create\t", "x.a.create+x.a.list\t", 1), ""},
		"another place, and not listed": {facts, actions, naming + "+files:PUT /b\t-\tx.a.create\t-\t-\n", ""},
	} {
		dir := filepath.Join(t.TempDir(), "x")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		for file, text := range map[string]string{"operations.tsv": tt.facts, "actions.tsv": tt.actions, "naming.tsv": tt.naming} {
			if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		text, err := tableOf(dir, plain)
		switch {
		case tt.want == "" && (err != nil || !strings.Contains(text, "api\tPOST\t/a\tx.a.create")):
			t.Errorf("%s: %q, %v", name, text, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want %q", name, err, tt.want)
		}
	}
}

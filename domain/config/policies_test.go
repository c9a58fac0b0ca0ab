package config_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/yamldoc"
)

// reading is a catalogue that reads policies: it minds the word "wrong", and
// notes the word "odd".
type reading struct {
	known
	files map[string]string
}

func (r reading) OpenPolicy(file string) ([]byte, error) {
	if text, ok := r.files[file]; ok {
		return []byte(text), nil
	}
	return nil, fault.New(fault.Invalid, "There is no file "+file+".", nil)
}

func (r reading) ReadPolicy(file string, text []byte, _ config.Catalogue) (notes []yamldoc.Problem, err error) {
	p := yamldoc.Problems{File: file}
	for i, line := range strings.Split(string(text), "\n") {
		if at := strings.Index(line, "wrong"); at >= 0 {
			p.All = append(p.All, yamldoc.Problem{Line: i + 1, Column: at + 1, Path: "rules[0]", Message: "this is wrong"})
		}
		if at := strings.Index(line, "odd"); at >= 0 {
			notes = append(notes, yamldoc.Problem{Line: i + 1, Column: at + 1, Message: "this is odd"})
		}
	}
	return notes, p.Err()
}

const policies = `version: 1
policies:
  - document: |
      # What main needs.
      name: protect-main

      rules:
        - {decision: deny}   # always
  - file: p/hours.yaml
    enabled: false
    report_only: true
    priority: 7
`

const hours = "metadata:\n  name: Business hours # odd\n"

func files() reading { return reading{files: map[string]string{"p/hours.yaml": hours}} }

func TestPoliciesAreReadAndWrittenBack(t *testing.T) {
	t.Parallel()

	doc, err := config.Parse("t.yaml", []byte(policies), files())
	if err != nil {
		t.Fatal(err)
	}
	want := []config.Policy{
		{Name: "protect-main", Document: "# What main needs.\nname: protect-main\n\nrules:\n  - {decision: deny}   # always\n", Priority: 100},
		{
			Name: "Business hours", File: "p/hours.yaml", Document: hours, Disabled: true, ReportOnly: true, Priority: 7,
			Notes: []yamldoc.Problem{{File: "p/hours.yaml", Line: 2, Column: 26, Message: "this is odd"}},
		},
	}
	if diff := cmp.Diff(want, doc.Policies); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if !doc.Described() {
		t.Error("a file that the document names is not noticed")
	}
	text, err := config.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	const written = `version: 1
policies:
  - document: |
      # What main needs.
      name: protect-main

      rules:
        - {decision: deny}   # always
  - enabled: false
    report_only: true
    priority: 7
    document: |
      metadata:
        name: Business hours # odd
`
	if diff := cmp.Diff(written, string(text)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestWhatIsWrongWithAPolicyIsSaidWhereItStands(t *testing.T) {
	t.Parallel()

	head := "version: 1\npolicies:\n"
	for name, tt := range map[string]struct{ text, says string }{
		"in a block":             {head + "  - document: |\n      name: x\n      rules:\n        - wrong\n", "t.yaml:6:11: policies[0].document: rules[0]: this is wrong"},
		"in an indented block":   {head + "  - document: |2\n        name: x\n        rules: wrong\n", "t.yaml:5:16: policies[0].document: rules[0]: this is wrong"},
		"in a block of two":      {head + "  - document: |\n      name: x\n  - priority: 2\n    document: |-\n\n      name: y\n      wrong: x", "t.yaml:9:7: policies[1].document: rules[0]: this is wrong"},
		"in quotes":              {head + `  - document: "name: x\nrules: wrong\n"`, "t.yaml:3:15: policies[0].document: rules[0]: line 2 of the policy: this is wrong"},
		"folded":                 {head + "  - document: >\n      name: x\n\n      rules: wrong\n", "t.yaml:3:15: policies[0].document: rules[0]: line 2 of the policy: this is wrong"},
		"in a file":              {head + "  - file: bad.yaml\n", "bad.yaml:2:8: rules[0]: this is wrong"},
		"a file that is not":     {head + "  - file: none.yaml\n", "t.yaml:3:11: policies[0].file: There is no file none.yaml."},
		"both":                   {head + "  - {file: bad.yaml, document: 'name: x'}\n", "t.yaml:3:5: policies[0]: say one of file and document"},
		"neither":                {head + "  - {enabled: true}\n", "t.yaml:3:5: policies[0]: say one of file and document"},
		"no name":                {head + "  - document: |\n      rules: []\n", "t.yaml:4:7: policies[0].document: name is missing"},
		"a name that is none":    {head + "  - document: |\n      a: b\n      name: ' x'\n", "t.yaml:5:13: policies[0].document: name: A policy's name is"},
		"a name twice":           {head + "  - document: 'name: x'\n  - document: 'name: x'\n", `t.yaml:4:15: policies[1].document: there is another policy "x" before this`},
		"a priority of nought":   {head + "  - {document: 'name: x', priority: 0}\n", "policies[0].priority: a priority is a number from 1 to 1000"},
		"a priority of a word":   {head + "  - {document: 'name: x', priority: high}\n", "policies[0].priority: a priority is a number from 1 to 1000"},
		"a key that is not":      {head + "  - {document: 'name: x', prioritty: 3}\n", `policies[0].prioritty: unknown key; did you mean "priority"?`},
		"enabled with a word":    {head + "  - {document: 'name: x', enabled: perhaps}\n", "policies[0].enabled: true or false belongs here"},
		"an empty document":      {head + "  - document: ''\n", "policies[0].document: there is no policy here"},
		"a document that is not": {head + "  - document: {name: x}\n", "policies[0].document: text belongs here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := config.Parse("t.yaml", []byte(tt.text), reading{files: map[string]string{"bad.yaml": "name: x\nrules: wrong\n"}})
			found, ok := errors.AsType[*yamldoc.Problems](err)
			if !ok || !strings.HasPrefix(found.Error(), tt.says) && !strings.Contains(found.Error(), ": "+tt.says) {
				t.Errorf("said %v, want %s", err, tt.says)
			}
		})
	}
}

func TestWithoutAReaderOnlyTheNameIsRead(t *testing.T) {
	t.Parallel()

	doc, err := config.Parse("t.yaml", []byte("version: 1\npolicies:\n  - document: |\n      name: x\n      wrong: [\n"), nil)
	if err == nil {
		t.Errorf("read YAML that is none: %+v", doc)
	}
	doc, err = config.Parse("t.yaml", []byte("version: 1\npolicies:\n  - document: |\n      name: x\n      wrong: y\n"), known{})
	if err != nil || len(doc.Policies) != 1 || doc.Policies[0].Name != "x" {
		t.Errorf("%+v, %v", doc, err)
	}
}

func TestChangesOfPoliciesAreSaidInWords(t *testing.T) {
	t.Parallel()

	old := &config.Document{Policies: []config.Policy{
		{Name: "a", Document: "name: a", Priority: 100}, {Name: "b", Document: "name: b", Priority: 100}, {Name: "c", Document: "name: c", Priority: 100, Disabled: true}, {Name: "d", Priority: 100},
	}}
	now := &config.Document{Policies: []config.Policy{
		{Name: "new", Document: "name: new", Priority: 5}, {Name: "a", Document: "name: a #", Priority: 50}, {Name: "b", Document: "name: b #", Priority: 100}, {Name: "c", Document: "name: c", Priority: 100, ReportOnly: true},
	}}
	want := []config.Change{
		{Op: config.Create, Path: "policies/new", Detail: "priority: 5"},
		{Op: config.Update, Path: "policies/a", Detail: "document, priority: 100 → 50"},
		{Op: config.Update, Path: "policies/b", Detail: "document"},
		{Op: config.Update, Path: "policies/c", Detail: "enabled: false → true, report_only: false → true"},
		{Op: config.Delete, Path: "policies/d"},
	}
	if diff := cmp.Diff(want, config.Diff(old, now)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	if again := config.Diff(now, now); len(again) != 0 {
		t.Errorf("nothing is another: %v", again)
	}
}

func TestAnyPolicyTextIsWrittenSoThatItReadsTheSame(t *testing.T) {
	t.Parallel()

	lines := rapid.SampledFrom([]string{"", " ", "  x: y", "\tx", "# c", "rules:", "  - {a: 'b: c'}", "---", "x: |", "   ", "ü: “x”", "a \t", "- ", "\r", "x:\u0085y", "&a *b !c", "%TAG", "..."})
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SampledFrom([]string{"", "\n", "# c\n", "  \n"}).Draw(t, "before") + "name: x\n" + strings.Join(rapid.SliceOfN(lines, 0, 6).Draw(t, "lines"), "\n")
		text += strings.Repeat("\n", rapid.IntRange(0, 3).Draw(t, "ends"))
		text += rapid.SampledFrom([]string{"", "#"}).Draw(t, "after")
		doc := &config.Document{Policies: []config.Policy{{Name: "x", Document: text, Priority: 100}, {Name: "y", Document: "name: y\n", Priority: 1}}}
		out, err := config.Marshal(doc)
		if err != nil {
			return // it is no YAML, and was never saved
		}
		back, err := config.Parse("t", out, nil)
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		back.Policies[0].Name = "x" // as these lines are, it may go on in the next
		if diff := cmp.Diff(doc, back); diff != "" {
			t.Errorf("(-want +got)\n%s\n%s", diff, out)
		}
	})
}

func TestThereAreOnlySoManyPolicies(t *testing.T) {
	t.Parallel()

	text := "version: 1\npolicies:\n"
	for i := range 500 {
		text += fmt.Sprintf("  - document: 'name: x%d'\n", i)
	}
	if _, err := config.Parse("t.yaml", []byte(text), nil); err != nil {
		t.Errorf("500: %v", err)
	}
	_, err := config.Parse("t.yaml", []byte(text+"  - document: 'name: y'\n  - document: 'name: z'\n"), nil)
	if want := "t.yaml:503:5: policies[500]: a team has at most 500 policies; put what belongs together into one"; fault.Message(err) != want {
		t.Errorf("%v, want %s", err, want)
	}
}

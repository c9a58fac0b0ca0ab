package web

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/tameflare/tameflare/app/gateways"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/fleet"
	"github.com/tameflare/tameflare/domain/policy"
	"github.com/tameflare/tameflare/domain/team"
	"github.com/tameflare/tameflare/views"
)

// custom is the form's word for no preset.
const custom = "custom"

const (
	emptyRows = 2
	moreRows  = 4
	maxRules  = 1000 // of a connector, in the form
	maxNames  = 12   // in a sentence; a broad pattern has hundreds
)

func (s *Server) accessForm(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	cs, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
	if err != nil {
		return err
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	form := views.AccessForm{Gateway: g}
	for _, c := range cs {
		form.Connectors = append(form.Connectors, accessOf(own, c))
	}
	return s.showAccessForm(w, r, v, http.StatusOK, form)
}

func (s *Server) showAccessForm(w http.ResponseWriter, r *http.Request, v team.Viewer, status int, form views.AccessForm) error {
	f, err := s.frame(r, v, "gateways", "Set up a gateway")
	if err != nil {
		return err
	}
	groups, err := s.Groups.List(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	for i := range form.Connectors {
		for _, g := range groups {
			form.Connectors[i].Groups = append(form.Connectors[i].Groups, g.Name)
		}
	}
	about(&f, v, form.Gateway)
	return render(w, r, status, views.AccessFormPage(f, form))
}

// accessOf is a connector's rules as the form shows them. A connector without
// rules is offered the preset that can do least.
func accessOf(own connectors.Own, c gateways.Connector) views.ConnectorAccess {
	a := blankAccess(own, c)
	a.Preset = custom
	if len(c.Rules) == 0 {
		a.Preset = string(policy.ReadOnly)
	}
	for _, rule := range c.Rules {
		if rule.Preset != policy.NoPreset && (a.Preset == custom || a.Preset == string(rule.Preset)) {
			a.Preset = string(rule.Preset)
			continue
		}
		a.Rules = append(a.Rules, ruleForm(rule))
	}
	return withEmptyRows(a, emptyRows)
}

func blankAccess(own connectors.Own, c gateways.Connector) views.ConnectorAccess {
	a := views.ConnectorAccess{Name: c.Name, Title: c.Type}
	if t := own.Named(c.Type); t != nil {
		a.Title = t.Title
		for _, op := range t.Operations() {
			a.Actions = append(a.Actions, op.Action)
		}
	}
	return a
}

func withEmptyRows(a views.ConnectorAccess, n int) views.ConnectorAccess {
	for range n {
		a.Rules = append(a.Rules, views.RuleForm{Effect: policy.RequireApproval.String()})
	}
	return a
}

func ruleForm(r fleet.Rule) views.RuleForm {
	f := views.RuleForm{Pattern: string(r.Pattern), When: r.When.String(), Class: r.Class, Effect: r.Effect.String(), Reason: r.Reason}
	if r.HoldMS >= 0 {
		f.Hold = views.Duration(time.Duration(r.HoldMS) * time.Millisecond)
	}
	if r.TTLMS > 0 {
		f.TTL = views.Duration(time.Duration(r.TTLMS) * time.Millisecond)
	}
	showTerms(&f, r.Approvers)
	return f
}

// setAccess replaces the rules of every connector of a gateway.
func (s *Server) setAccess(w http.ResponseWriter, r *http.Request, v team.Viewer) error {
	g, err := s.open(r, v)
	if err != nil {
		return err
	}
	if err := parse(r); err != nil {
		return err
	}
	cs, err := s.Gateways.Configuration(r.Context(), v.Team.ID, g.ID)
	if err != nil {
		return err
	}
	own, err := s.Gateways.Own(r.Context(), v.Team.ID)
	if err != nil {
		return err
	}
	form := views.AccessForm{Gateway: g, Errors: views.Errors{}}
	next := make([]gateways.Connector, len(cs))
	for i, c := range cs {
		if !r.PostForm.Has(c.Name+".preset") || !everyRow(r.PostForm, c.Name) {
			return fault.New(fault.Conflict, "The connectors have changed since this page was opened, or the page has. Open it again and repeat your change.", nil)
		}
		access, rules := readAccess(form.Errors, own, c, r.PostForm)
		form.Connectors = append(form.Connectors, access)
		next[i] = gateways.Connector{Connector: c.Connector, Rules: rules}
	}
	if r.PostForm.Has("more") {
		for i := range form.Connectors {
			form.Connectors[i] = withEmptyRows(form.Connectors[i], moreRows)
		}
		form.Errors = nil
		return s.showAccessForm(w, r, v, http.StatusOK, form)
	}
	if !form.Errors.Any() {
		err := s.Gateways.Configure(r.Context(), v, g.ID, next)
		switch fault.Of(err) {
		case fault.Invalid:
			form.Errors[""] = fault.Message(err)
		default:
			if err != nil {
				return err
			}
			return see(w, r, "/gateways/"+g.ID+"/setup/run")
		}
	}
	for i := range form.Connectors {
		form.Connectors[i] = withEmptyRows(form.Connectors[i], emptyRows)
	}
	return s.showAccessForm(w, r, v, http.StatusUnprocessableEntity, form)
}

// everyRow reports whether each row has all that narrows a rule. Without it a
// rule would be read as a wider one.
func everyRow(form url.Values, connector string) bool {
	n := len(form[connector+".pattern"])
	for _, name := range slices.Concat(termNames, []string{"class", "when"}) {
		if len(form[connector+"."+name]) != n {
			return false
		}
	}
	return true
}

// readAccess reads the rules of one connector, with a sentence under each row
// that is wrong.
func readAccess(errs views.Errors, own connectors.Own, c gateways.Connector, form url.Values) (views.ConnectorAccess, []fleet.Rule) {
	a := blankAccess(own, c)
	a.Preset = form.Get(c.Name + ".preset")
	var rules []fleet.Rule
	if a.Preset != custom {
		preset, err := fleet.PresetRules(policy.Preset(a.Preset))
		if err != nil {
			errs[c.Name+".preset"] = "Choose what the agent may do with " + c.Name + "."
		}
		rules = preset
	}
	column := func(name string, i int) string {
		values := form[c.Name+"."+name]
		if i >= len(values) {
			return ""
		}
		return strings.TrimSpace(values[i])
	}
	for i := range min(len(form[c.Name+".pattern"]), maxRules) {
		row := views.RuleForm{
			Pattern: column("pattern", i), When: column("when", i), Class: column("class", i), Effect: column("effect", i),
			Hold: column("hold", i), TTL: column("ttl", i), Reason: column("reason", i),
			Role: column("role", i), Count: column("count", i), Group: column("group", i), Self: column("self", i), Proof: column("proof", i),
		}
		if row.Pattern == "" && row.When == "" && row.Reason == "" && row.Hold == "" && row.TTL == "" && !row.Terms() {
			continue
		}
		rule, err := readRule(own, c, a.Actions, row)
		if err != nil {
			row.Error = fault.Message(err)
			errs[c.Name+".rule"+row.Pattern] = row.Error
		}
		a.Rules, rules = append(a.Rules, row), append(rules, rule)
	}
	return a, rules
}

func readRule(own connectors.Own, c gateways.Connector, actions []string, row views.RuleForm) (fleet.Rule, error) {
	rule := fleet.Rule{Pattern: action.Pattern(row.Pattern), Class: row.Class, HoldMS: -1, Reason: row.Reason}
	if row.Pattern == "" {
		return rule, fault.New(fault.Invalid, "Say which action this rule is about, such as github.pr.merge.", nil)
	}
	if err := rule.Effect.UnmarshalText([]byte(row.Effect)); err != nil {
		return rule, err
	}
	if row.Hold != "" {
		hold, err := time.ParseDuration(row.Hold)
		if err != nil || hold < 0 {
			return rule, fault.New(fault.Invalid, "Write how long to hold a request as 55s or 2m.", err)
		}
		rule.HoldMS = hold.Milliseconds()
	}
	if row.TTL != "" {
		ttl, err := time.ParseDuration(row.TTL)
		if err != nil || ttl < time.Millisecond {
			return rule, fault.New(fault.Invalid, "Write how long people have to answer as 10m or 1h.", err)
		}
		rule.TTLMS = ttl.Milliseconds()
	}
	var err error
	if rule.Approvers, err = readTerms(row); err != nil {
		return rule, err
	}
	if rule.When, err = policy.ParseLimits(row.When); err != nil {
		return rule, err
	}
	if _, err := rule.Policy(c.Name); err != nil {
		return rule, err
	}
	if len(actions) > 0 && !slices.ContainsFunc(actions, rule.Pattern.Matches) {
		return rule, fault.New(fault.Invalid, "No action of this connector is called that. Its actions begin with "+c.Type+".", nil)
	}
	return rule, checkLimits(own, c.Type, rule)
}

// checkLimits fails with fault.Invalid where a limit is on what none of the
// rule's actions shows: such a rule would never apply.
func checkLimits(own connectors.Own, typ string, rule fleet.Rule) error {
	names := connectors.Catalogue{Own: own}.Params(typ, rule.Pattern)
	if len(names) == 0 { // not known
		return nil
	}
	slices.Sort(names)
	names = append(slices.Compact(names), policy.OnResource)
	for _, key := range rule.When.Keys() {
		if policy.HasParam(names, key) {
			continue
		}
		sentence := string(rule.Pattern) + " has no " + key + " to look at."
		if n := len(names); n <= maxNames {
			sentence += " It has " + strings.Join(names[:n-1], ", ") + " and " + names[n-1] + "."
		}
		return fault.New(fault.Invalid, sentence, nil)
	}
	return nil
}

// ruleText is a rule in a few words.
func ruleText(r fleet.Rule) string {
	text := string(r.Pattern)
	if r.Class != "" {
		text += " (" + r.Class + ")"
	}
	if len(r.When) > 0 {
		text += " where " + r.When.String()
	}
	text += " → " + r.Effect.String()
	if r.Approvers != (policy.Approvers{}) {
		text += " (" + r.Approvers.String() + ")"
	}
	return text
}

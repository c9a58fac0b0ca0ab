package connectors

import (
	"slices"
	"strings"

	"github.com/tameflare/tameflare/connectors/body"
	"github.com/tameflare/tameflare/connectors/tables"
	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

var stripe = &Type{
	Name:   "stripe",
	Title:  "Stripe",
	Docs:   "https://docs.stripe.com/api",
	Hosts:  []string{"api.stripe.com", "files.stripe.com"},
	Styles: []credential.Kind{credential.Bearer, credential.Basic},
	Hint: Hint{
		Label:       "Restricted key",
		Placeholder: "rk_live_…",
		Help:        "A restricted key with the permissions that your rules allow. Make one in the Dashboard under Developers → API keys.",
	},
	Headers: append([]string{"Cookie"}, carriers...),
	Queries: append([]string{"key"}, carrierQueries...),
	Meaning: []string{"Stripe-Account", "Stripe-Context", "Stripe-Version"},
	service: stripeService{newTabled(spec{
		word: "stripe",
		// Version 1 reads forms, version 2 JSON.
		format: readsForm | readsJSON | readsMultipart | readsQuery,
		prefix: "sk_test_",
		always: []param{
			// Whose money it is, where a platform acts for another account.
			{name: "account", source: source{in: inHeader, name: canonical("Stripe-Account")}},
			{name: "context", source: source{in: inHeader, name: canonical("Stripe-Context")}},
			{name: "idempotency_key", source: source{in: inHeader, name: canonical("Idempotency-Key")}},
		},
		hosts: map[string]string{"api": "api.stripe.com", "files": "files.stripe.com"},
		where: func(host string, segments []string) (string, []string) {
			if host == "files.stripe.com" {
				return "files", segments
			}
			return "api", segments
		},
		page: func(r *row) string {
			_, noun, _ := strings.Cut(strings.TrimPrefix(r.path, "/"), "/")
			noun, _, _ = strings.Cut(noun, "/")
			return "https://docs.stripe.com/api/" + noun
		},
		more:  []Operation{stripeReveal},
		shape: stripeRefusal,
	}, tables.Stripe)},
}

// stripeReveal is what a request does besides that asks for numbers which are
// otherwise left out of the answer.
var stripeReveal = Operation{
	Action: "stripe.secret_number.reveal", Class: action.Admin, Risk: action.High, Title: "read card or account numbers in full",
}

type stripeService struct{ *tabled }

var stripeLooked = &group{finder: body.NewFinder([]body.Path{{"expand", body.Each}, {"key"}, {"_stripe_account"}, {"expand"}}), size: 4}

// read refuses a key or an account in the body, which may count more than
// those in the headers, and sees what is asked to be expanded.
func (s stripeService) read(r Request) (action.Action, error) {
	a, err := s.tabled.read(r)
	if err != nil || r.RawQuery == "" && r.Body.whole && len(r.Body.data) == 0 {
		return a, err
	}
	return s.look(r, a)
}

func (s stripeService) look(r Request, a action.Action) (action.Action, error) {
	var inBody, inQuery [4]body.Value
	readable := s.format.read(&r, stripeLooked, inBody[:])
	if r.RawQuery != "" {
		readable = stripeLooked.finder.Form([]byte(r.RawQuery), inQuery[:]) == nil && readable
	}
	if readable && (inBody[1].Kind != body.Absent || inBody[2].Kind != body.Absent || inQuery[2].Kind != body.Absent) {
		return action.Action{}, fault.New(fault.Invalid, "Send the key as Authorization and the account as Stripe-Account, in the headers alone.", nil)
	}
	numbers := strings.Contains(r.Path, "/issuing") || strings.Contains(r.Path, "/treasury")
	if reveals(inBody) || reveals(inQuery) || !readable && (numbers || strings.Contains(lower(r.RawQuery), "expand")) {
		a.Or = append(slices.Clip(a.Or), action.Alternative{Name: stripeReveal.Action, Class: stripeReveal.Class})
	}
	return a, nil
}

// reveals reports whether found asks for a number that is otherwise left out.
func reveals(found [4]body.Value) bool {
	all := append(slices.Clone(found[0].List), found[3].Text)
	return slices.ContainsFunc(all, func(path string) bool {
		last := path[strings.LastIndexByte(path, '.')+1:]
		return last == "number" || last == "cvc" || last == "account_number"
	})
}

// stripeRefusal is an error as Stripe's SDKs print it.
func stripeRefusal(_ Request, p Problem) Reply {
	type failure struct {
		Type    string `json:"type"`
		Code    string `json:"code"`
		Message string `json:"message"`
		Docs    string `json:"doc_url"`
	}
	return p.shaped(plainJSON, struct {
		Error failure `json:"error"`
		Problem
	}{failure{"invalid_request_error", p.Code, p.sentence(), p.Type}, p})
}

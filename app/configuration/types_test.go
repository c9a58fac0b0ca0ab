package configuration_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/app/configuration"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/config"
	"github.com/tameflare/tameflare/domain/fault"
)

const typed = `version: 1
connector_types:
  - name: billing
    hosts: [API.billing.example.com]
    auth: {style: header, name: X-Billing-Key}
    operations:
      - {method: POST, path: "/invoices/{invoice}", action: billing.invoice.update, resource: "{invoice}"}
      - {method: get, path: "/invoices/", action: billing.invoice.list}
credentials:
  - {name: bill, connector: billing, from: {env: BILL}}
gateways:
  - name: bot
    connectors:
      - {type: billing, credential: bill, rules: [{action: billing.invoice.update, decision: deny}, {preset: read_only}]}
`

func (f fixture) parse(t *testing.T, text string) *config.Document {
	t.Helper()
	now, err := f.Export(t.Context(), f.owner.Team.ID)
	if err != nil {
		t.Fatal(err)
	}
	own, err := connectors.DefineAll(now.Definitions())
	if err != nil {
		t.Fatal(err)
	}
	doc, err := config.Parse("tameflare.yaml", []byte(text), connectors.Catalogue{Own: own})
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestConnectorTypesAreAppliedOnce(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		secret := secrets()
		clear(secret)
		secret["bill"] = secrets()["internal"]
		got := f.apply(t, f.parse(t, typed), secret, configuration.Options{})
		if !slices.Contains(got, "create connector_types/billing") || !slices.Contains(got, "create gateways/bot/connectors/billing") {
			t.Errorf("changes: %v", got)
		}
		if got := f.apply(t, f.parse(t, typed), nil, configuration.Options{Prune: true}); len(got) != 0 {
			t.Errorf("the second time: %v", got)
		}
		doc, err := f.Export(t.Context(), f.owner.Team.ID)
		if err != nil {
			t.Fatal(err)
		}
		text, err := config.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		if got := f.apply(t, f.parse(t, string(text)), nil, configuration.Options{Prune: true}); len(got) != 0 {
			t.Errorf("what was exported: %v\n%s", got, text)
		}
		types, err := f.store.ConnectorTypes(t.Context(), f.owner.Team.ID)
		if err != nil || len(types) != 1 || types[0].Version != 1 || types[0].Definition.Hosts[0] != "api.billing.example.com" {
			t.Fatalf("%+v, %v", types, err)
		}
		changed := strings.Replace(typed, "resource:", "class: admin, resource:", 1)
		changes, err := f.Apply(t.Context(), f.owner, f.parse(t, changed), nil, configuration.Options{})
		want := []config.Change{{Op: config.Update, Path: "connector_types/billing", Detail: "operations: ~billing.invoice.update (write → admin) (risk medium → high)"}}
		if diff := cmp.Diff(want, changes); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
		if types, err := f.store.ConnectorTypes(t.Context(), f.owner.Team.ID); err != nil || types[0].Version != 2 {
			t.Errorf("%+v, %v", types, err)
		}
	})
}

func TestADocumentMayUseATypeThatTheTeamHas(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		only := typed[:strings.Index(typed, "credentials:")]
		f.apply(t, f.parse(t, only), nil, configuration.Options{})
		f.apply(t, f.parse(t, "version: 1\ngateways:\n  - {name: bot, connectors: [{type: billing}]}\n"), nil, configuration.Options{})
		cs, err := f.store.Gateways(t.Context(), f.owner.Team.ID)
		if err != nil || len(cs) != 1 {
			t.Errorf("%v, %v", cs, err)
		}
	})
}

func TestATypeInUseIsNotPruned(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		only := typed[:strings.Index(typed, "credentials:")]
		f.apply(t, f.parse(t, only), nil, configuration.Options{})
		bot := "version: 1\ngateways:\n  - {name: bot, connectors: [{type: billing}]}\n"
		f.apply(t, f.parse(t, bot), nil, configuration.Options{})
		_, err := f.Apply(t.Context(), f.owner, f.parse(t, bot), nil, configuration.Options{Prune: true})
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "The connector type billing cannot be pruned: the connector billing of gateway bot is of it.") {
			t.Errorf("%v", err)
		}
		got := f.apply(t, f.parse(t, "version: 1\n"), nil, configuration.Options{Prune: true})
		if diff := cmp.Diff([]string{"delete connector_types/billing", "delete gateways/bot", "delete gateways/bot/connectors/billing"}, got); diff != "" && !slices.Contains(got, "delete connector_types/billing") {
			t.Error(diff)
		}
		if types, err := f.store.ConnectorTypes(t.Context(), f.owner.Team.ID); err != nil || len(types) != 0 {
			t.Errorf("%v, %v", types, err)
		}
	})
}

func TestATypeThatGatewaysCannotUseAnyMoreIsNotApplied(t *testing.T) {
	t.Parallel()
	each(t, func(t *testing.T, f fixture) {
		only := typed[:strings.Index(typed, "credentials:")]
		f.apply(t, f.parse(t, only), nil, configuration.Options{})
		f.apply(t, f.parse(t, "version: 1\ngateways:\n  - {name: bot, connectors: [{type: billing}]}\n"), nil, configuration.Options{})
		homeless := f.parse(t, strings.Replace(only, "    hosts: [API.billing.example.com]\n", "", 1))
		_, err := f.Apply(t.Context(), f.owner, homeless, nil, configuration.Options{})
		if fault.Of(err) != fault.Invalid || !strings.Contains(fault.Message(err), "Gateway bot: Connector billing: Name the hosts") {
			t.Errorf("%v", err)
		}
	})
}

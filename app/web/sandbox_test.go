package web

import (
	"net/http"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/app/policies"
)

const mergeCurl = `curl -X PUT https://api.github.com/repos/acme/site/pulls/12/merge -H 'Authorization: Bearer ghp_pastedpastedpasted' -d '{"merge_method":"squash"}'`

const denyAll = `name: tried
rules:
  - name: no-writes
    conditions:
      - {field: class, operator: equals, value: write}
    decision: deny
    reason: Writes are over for today.
    risk_score: 90
`

func TestTheSandboxSaysWhatWouldBeDecidedAndWhy(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	const recorded = "req_mergedmergedmergedmergedme"
	h.record(t, merged(t, h, recorded))
	const mergeAction = "action: github.pr.merge\nresource: acme/site#12\nparams: {base: main}\n"
	for name, tt := range map[string]struct {
		form   []string
		says   []string
		silent []string
	}{
		"a recorded request": {
			[]string{"way", "recorded", "request", recorded},
			[]string{"At deploy-bot", "Held", "look-at-merges", "merges wait", "/policies/" + h.policy.ID + "/versions/2#L8", "Headers and bodies are not recorded", "/traffic/" + recorded, "One person"}, nil,
		},
		"a command": {
			[]string{"way", "curl", "command", mergeCurl, "gateway", h.gateway.ID},
			[]string{"Held", "github.pr.merge", "acme/site#12", "github.pr.merge"}, []string{"ghp_pasted"},
		},
		"an action": {
			[]string{"way", "action", "action", mergeAction, "gateway", h.gateway.ID},
			[]string{"Held", "merges wait", "The saved policies that are enabled were asked."}, nil,
		},
		"an action that no rule allows": {
			[]string{"way", "action", "action", "action: github.repo.delete\nresource: acme/site\n", "gateway", h.gateway.ID},
			[]string{"Denied", "No rule of gateway deploy-bot allows github.repo.delete", "403 and this sentence"}, nil,
		},
		"a text beside what is saved": {
			[]string{"way", "action", "action", mergeAction, "gateway", h.gateway.ID, "policy", denyAll},
			[]string{"Denied", "Writes are over for today.", "tried (the text below)", "line 3", "90 of 100", "merges wait", "class equals write", "did not hold"}, []string{"/policies/pol_draft"},
		},
		"a text instead of what is saved": {
			[]string{"way", "action", "action", mergeAction, "gateway", h.gateway.ID, "policy", denyAll, "alone", "yes"},
			[]string{"Denied", "Of policies, only the text was asked."}, []string{"merges wait"},
		},
		"without the saved policies": {
			[]string{"way", "action", "action", mergeAction, "gateway", h.gateway.ID, "alone", "yes"},
			[]string{"No policy was asked.", "Merges need a person."}, []string{"merges wait"},
		},
		"at another time": {
			[]string{"way", "action", "action", mergeAction, "gateway", h.gateway.ID, "at", "2026-03-01T22:30"},
			[]string{"The time is 1 Mar 2026 22:30 UTC."}, nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := h.post(t, "/policies/sandbox", tt.form...)
			if w.Code != http.StatusOK {
				t.Fatalf("%d\n%s", w.Code, w.Body)
			}
			wantSays(t, name, w.Body.String(), tt.says...)
			wantSilent(t, name, w.Body.String(), tt.silent...)
			wantSound(t, name, w.Body.String())
			part := h.do(t, visit{method: http.MethodPost, path: "/policies/sandbox", as: h.owner, form: form(tt.form...), header: map[string]string{"HX-Request": "true"}})
			wantSays(t, name+", the part", part.Body.String(), tt.says...)
			wantSilent(t, name+", the part", part.Body.String(), "<html")
		})
	}
}

func TestATextStepsInForASavedPolicyOfItsName(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	changed := strings.Replace(firstPolicy, "decision: require_approval", "decision: deny", 1)
	changed, _, _ = strings.Cut(changed, "tests:")
	w := h.post(t, "/policies/sandbox", "way", "action", "action", "action: github.pr.merge\nparams: {base: main}\n", "gateway", h.gateway.ID, "policy", changed)
	body := w.Body.String()
	wantSays(t, "the text", body, "Denied", "look-at-merges (the text below)")
	wantSilent(t, "the saved one", body, "/policies/"+h.policy.ID)
}

// Whatever is wrong with what somebody pastes, it may be a key.
func TestNothingPastedIsRepeatedInErrors(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	const key = "pastedsecretABC"
	for name, fields := range map[string][]string{
		"a command that is none":      {"way", "curl", "command", "wget " + key},
		"a command with odd options":  {"way", "curl", "command", "curl --" + key + " https://api.github.com/ -H 'X: " + key},
		"an address that is none":     {"way", "curl", "command", "curl 'ftp://" + key + "/'"},
		"an action that is no YAML":   {"way", "action", "action", "action: [" + key},
		"an action that is a text":    {"way", "action", "action", key},
		"an unknown key":              {"way", "action", "action", key + ": x\naction: github.pr.merge"},
		"a class that is none":        {"way", "action", "action", "action: github.pr.merge\nclass: " + key},
		"a long class that is none":   {"way", "action", "action", "action: github.pr.merge\nclass: " + key + strings.Repeat("x", 30)},
		"an action that is none":      {"way", "action", "action", "action: " + key + " " + key},
		"a parameter that is no text": {"way", "action", "action", "action: github.pr.merge\nparams: {" + key + ": {a: " + key + "}}"},
		"a time that is none":         {"way", "action", "action", "action: " + key, "at", "tomorrow"},
		"a gateway that is none":      {"way", "action", "action", "action: " + key, "gateway", "gw_none"},
	} {
		if name != "a gateway that is none" {
			fields = append(fields, "gateway", h.gateway.ID)
		}
		for _, header := range []map[string]string{nil, {"HX-Request": "true"}} {
			w := h.do(t, visit{method: http.MethodPost, path: "/policies/sandbox", as: h.owner, form: form(fields...), header: header})
			if w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusOK {
				t.Errorf("%s: %d", name, w.Code)
			}
			if w.Code == http.StatusOK && !strings.HasSuffix(name, "that is none") && !strings.Contains(name, "options") {
				t.Errorf("%s: it was decided about", name)
			}
			wantSilent(t, name, w.Body.String(), "pastedsecret")
		}
	}
	wantSilent(t, "the log", h.log.String(), "pastedsecret")
	if all, err := h.Policies.List(t.Context(), h.owner.Team.ID); err != nil || len(all) != 1 {
		t.Errorf("%d policies, %v: something was saved", len(all), err)
	}
}

func TestTheSandboxSaysWhatIsWrongWithAText(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	w := h.post(t, "/policies/sandbox", "way", "action", "action", "action: github.pr.merge", "gateway", h.gateway.ID, "policy", "name: x\nrules: [{name: a, decisions: deny}]")
	if w.Code != http.StatusUnprocessableEntity {
		t.Errorf("%d", w.Code)
	}
	wantSays(t, "the page", w.Body.String(), "The policy cannot be read.", "Line 2", "did you mean", "decision")
}

func TestAnotherTeamsRequestsAndGatewaysAreNotAsked(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	other := h.addTeam(t, "rivals")
	const recorded = "req_mergedmergedmergedmergedme"
	h.record(t, merged(t, h, recorded))
	for name, fields := range map[string][]string{
		"a request": {"way", "recorded", "request", recorded},
		"a gateway": {"way", "action", "action", "action: github.pr.merge", "gateway", h.gateway.ID},
	} {
		w := h.do(t, visit{method: http.MethodPost, path: "/policies/sandbox", as: other, form: form(fields...)})
		if w.Code == http.StatusOK {
			t.Errorf("%s: answered", name)
		}
		wantSilent(t, name, w.Body.String(), "deploy-bot", "merges wait", "acme/site")
	}
	w := h.do(t, visit{path: "/policies/sandbox?request=" + recorded, as: other})
	wantSilent(t, "the form", w.Body.String(), "deploy-bot", "acme/site", recorded)
}

func TestRecordedRequestsAreFoundByTheirText(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	const recorded = "req_mergedmergedmergedmergedme"
	h.record(t, merged(t, h, recorded))
	wantSays(t, "all", h.get(t, "/policies/sandbox"), recorded, h.request)
	filtered := h.get(t, "/policies/sandbox?q=merge")
	wantSays(t, "filtered", filtered, recorded)
	wantSilent(t, "filtered", filtered, h.request)
	wantSays(t, "chosen", h.get(t, "/policies/sandbox?q=merge&request="+h.request), `value="`+h.request+`" checked`)
}

func TestTheTrialExplainsItselfToo(t *testing.T) {
	t.Parallel()
	h := furnished(t)
	if _, err := h.Policies.Save(t.Context(), h.owner, policies.Draft{Document: strings.Replace(denyAll, "tried", "strict", 1), Enabled: true}); err != nil {
		t.Fatal(err)
	}
	w := h.post(t, "/connectors/try", "command", mergeCurl, "gateway", h.gateway.ID)
	wantSays(t, "the trial", w.Body.String(), "Denied", "Writes are over for today.", "strict", "Rules that were looked at")
}

package views

import (
	"github.com/tameflare/tameflare/domain/audit"
	"github.com/tameflare/tameflare/domain/credential"
)

var alerted = state{"state-denied", "shield-alert", "Alert"}

// alertText names a kind of alert in a word or two.
func alertText(kind string) string {
	switch kind {
	case audit.ForeignKey:
		return "Foreign key"
	case audit.DummyElsewhere:
		return "Key at another service"
	case audit.DummyOfAnotherRun:
		return "Key of another run"
	}
	return Visible(kind, 40)
}

// alertSentence goes on after a gateway's name.
func alertSentence(kind string) string {
	switch kind {
	case audit.ForeignKey:
		return "saw a key that it had not given, at a connector that takes no other"
	case audit.DummyElsewhere:
		return "saw a dummy key on its way to another service"
	case audit.DummyOfAnotherRun:
		return "saw the dummy key of another run"
	}
	return "raised an alert: " + Visible(kind, 40)
}

func alertOptions() []Option {
	all := []Option{{"", "With or without alert"}, {audit.AnyAlert, "Any alert"}}
	for _, kind := range audit.Alerts() {
		all = append(all, Option{kind, alertText(kind)})
	}
	return all
}

func clientKeyOptions() []Option {
	return []Option{
		{credential.Replace.String(), "Replaced"},
		{credential.Pass.String(), "Let through"},
		{credential.RequireDummy.String(), "Refused"},
	}
}

// clientKeyText says after a connector's credential what becomes of an agent's
// own.
func clientKeyText(k credential.ClientKey) string {
	switch k {
	case credential.Pass:
		return "an agent's own key is let through"
	case credential.RequireDummy:
		return "an agent's own key is refused"
	case credential.Replace:
	}
	return "an agent's own key is replaced"
}

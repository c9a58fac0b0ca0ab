package connectors

import "slices"

// Env returns the environment variables in which clients of the service look
// for a key. A governed process gets a Dummy in them: many clients do not start
// without one.
func (t *Type) Env() []string {
	switch t {
	case github:
		return []string{"GITHUB_TOKEN", "GH_TOKEN"}
	case openai:
		return []string{"OPENAI_API_KEY"}
	case anthropic:
		return []string{"ANTHROPIC_API_KEY"}
	case stripe:
		return []string{"STRIPE_API_KEY", "STRIPE_SECRET_KEY"}
	case slack:
		return []string{"SLACK_BOT_TOKEN", "SLACK_TOKEN"}
	}
	return slices.Clone(t.env)
}

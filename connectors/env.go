package connectors

// Env returns the environment variables in which clients of the service look
// for a key. A governed process gets a Dummy in them: many clients do not start
// without one.
func (t *Type) Env() []string {
	if t == github {
		return []string{"GITHUB_TOKEN", "GH_TOKEN"}
	}
	return nil
}

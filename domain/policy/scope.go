package policy

// Includes reports whether s is about a gateway. One that Compile would refuse
// is about every gateway: whoever leaves out what is not included would
// otherwise leave out what ought to be refused.
func (s Scope) Includes(gateway, environment string) bool {
	in, err := s.includes(gateway, environment)
	return err != nil || in
}

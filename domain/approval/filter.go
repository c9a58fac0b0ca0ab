package approval

// Filter chooses approvals. Its zero value chooses all.
type Filter struct {
	Status    []Status
	GatewayID string
}

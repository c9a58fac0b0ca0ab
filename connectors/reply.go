package connectors

// Reply is an answer to a request that is not forwarded.
type Reply struct {
	Status      int // where it differs from the problem's own; else 0
	ContentType string
	Body        []byte
}

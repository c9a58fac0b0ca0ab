package connectors

// Need is how much of a body must be known to name a request.
type Need uint8

const (
	NeedNothing   Need = iota // the body can stream
	NeedBeginning             // up to Beginning bytes; the rest can stream
	NeedAll
)

// Beginning is how many bytes of a body are looked at where its beginning is
// enough: the commands of a push to a thousand refs.
const Beginning = 64 << 10

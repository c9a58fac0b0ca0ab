package policy

// FieldType is the type that a field has, in CEL's words. The zero FieldType
// is dyn: it depends on the request.
type FieldType string

const (
	Dyn       FieldType = ""
	Text      FieldType = "string"
	Whole     FieldType = "int"
	Truth     FieldType = "bool"
	Timestamp FieldType = "timestamp"
)

// Field is something that policies can look at.
type Field struct {
	Name string // one that ends in ".*" stands for every name below
	Type FieldType
	Doc  string // half a sentence
}

// Fields returns all there are, in the order in which people should see them.
func Fields() []Field {
	return []Field{
		{"action", Text, "what the request would do, such as github.pr.merge"},
		{"class", Text, "read, write, delete or admin"},
		{"risk", Text, "low, medium, high or critical"},
		{"risk_level", Whole, "the same as a number, from 1 for low to 4 for critical"},
		{"reversible", Truth, "whether the service can undo it"},
		{"resource", Text, "what it would be done to, such as acme/site#12"},
		{"owner", Text, "the resource up to its first slash"},
		{"repository", Text, "the resource after its first slash, without what begins with #, @ or :"},
		{"params.*", Dyn, "a parameter of the action; the catalogue lists them for each action"},
		{"service", Text, "the connector's type, such as github"},
		{"connector", Text, "the connector's name at the gateway"},
		{"request.method", Text, "the HTTP method, in capitals"},
		{"request.scheme", Text, "https or http"},
		{"request.host", Text, "the host, in lower case and without a port"},
		{"request.path", Text, "the path, with its escapes undone and without a final slash; not known where servers could read it in different ways"},
		{"request.query.*", Dyn, "a parameter of the query: its value, or a list where it is there several times"},
		{"request.headers.*", Text, "a header, by its name in lower case"},
		{"request.body.*", Dyn, "a field of a JSON or form body, with a dot for each level"},
		{"gateway", Text, "the gateway's name"},
		{"environment", Text, "the gateway's environment"},
		{"run.id", Text, "the run's ID"},
		{"run.principal", Text, "who runs the process, and where: ana@laptop"},
		{"time", Timestamp, "when the request is decided"},
	}
}

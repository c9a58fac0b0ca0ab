package policy

import "strings"

// part says which of the fields one is.
type part uint8

const (
	noField part = iota
	onAction
	onClass
	onRisk
	onRiskLevel
	onReversible
	onResource
	onOwner
	onRepository
	onParam
	onService
	onConnector
	onMethod
	onScheme
	onHost
	onPath
	onQuery
	onHeader
	onBody
	onGateway
	onEnvironment
	onRun
	onPrincipal
	onTime
)

var parts = map[string]part{
	"action": onAction, "class": onClass, "risk": onRisk, "risk_level": onRiskLevel, "reversible": onReversible,
	"resource": onResource, "owner": onOwner, "repository": onRepository, "params.*": onParam, "service": onService,
	"connector": onConnector, "request.method": onMethod, "request.scheme": onScheme, "request.host": onHost,
	"request.path": onPath, "request.query.*": onQuery, "request.headers.*": onHeader, "request.body.*": onBody,
	"gateway": onGateway, "environment": onEnvironment, "run.id": onRun, "run.principal": onPrincipal, "time": onTime,
}

// field is something to look at, found once and for all.
type field struct {
	part  part
	name  string   // as it is written
	key   string   // of a parameter, a query parameter or a header
	steps []string // of a body
}

const maxField = 300

// fieldNamed finds a field, and reports whether there is such a one.
func fieldNamed(name string) (field, bool) {
	f := field{part: parts[name], name: name}
	if len(name) > maxField || strings.HasSuffix(name, ".*") {
		return field{}, false
	}
	if f.part != noField {
		return f, true
	}
	for _, family := range [...]struct {
		prefix string
		part   part
	}{{"params.", onParam}, {"request.query.", onQuery}, {"request.headers.", onHeader}, {"request.body.", onBody}} {
		if key, ok := strings.CutPrefix(name, family.prefix); ok && key != "" {
			f.part, f.key = family.part, key
			if f.part == onBody {
				f.steps = strings.Split(key, ".")
			}
			return f, true
		}
	}
	return field{}, false
}

// lists reports whether what f is may be a list.
func (f *field) lists() bool { return f.part == onParam || f.part == onQuery || f.part == onBody }

package policy

import "time"

// Expr is a condition, or a part of one, as a tree. What people write is read
// into it (domain/policy/document for YAML, domain/policy/cel for CEL), it
// travels to gateways as JSON, and Compile makes a program of it. Exactly one
// of Op, Field and Value is set.
type Expr struct {
	Op    Op     `json:"op,omitempty"`
	Args  []Expr `json:"args,omitempty"`  // of Op
	Field string `json:"field,omitempty"` // "params.amount": see Fields; "$x" is the Var of an enclosing Exists and its kin
	Value *Const `json:"value,omitempty"`
	Var   string `json:"var,omitempty"` // what the second of Args calls an element of the first

	// Where it stands in the document, and how it is written there; from 1.
	Line   int    `json:"line,omitempty"`
	Column int    `json:"column,omitempty"`
	Text   string `json:"text,omitempty"`
}

// Const is a value that stands in a document. Exactly one field is set; of a
// list, List, which may be empty.
type Const struct {
	Text     *string        `json:"text,omitempty"`
	Int      *int64         `json:"int,omitempty"`
	Float    *float64       `json:"float,omitempty"`
	Bool     *bool          `json:"bool,omitempty"`
	Time     *time.Time     `json:"time,omitempty"`
	Duration *time.Duration `json:"duration,omitempty"`
	List     []Const        `json:"list,omitempty"`
	IsList   bool           `json:"is_list,omitempty"`
	Window   *Window        `json:"window,omitempty"`
}

// Window is a part of the week: from From to To on each of Days, by the clock
// of Zone. One whose To is not after its From ends on the next day; it belongs
// to the day on which it begins.
type Window struct {
	Days []time.Weekday `json:"days,omitempty"` // every day where empty
	From int            `json:"from"`           // minutes after midnight, 0 to 1439
	To   int            `json:"to"`             // minutes after midnight, 1 to 1440
	Zone string         `json:"zone"`           // of the tz database; "UTC"
}

// Op is what is done with the Args of an Expr.
//
// There are three outcomes: it holds, it fails, and it is unclear, which it is
// where something is not known, where a CEL operator meets a type that it is
// not for, and where a CEL expression asks for what is not there. Whatever is
// made of something unclear is unclear too, except that All with one that
// fails fails, Any with one that holds holds, and Cond takes the branch it can.
type Op string

// Logic, for both languages.
const (
	All Op = "all" // none: holds
	Any Op = "any" // none: fails
	Not Op = "not"
)

// The operators of conditions in YAML: Args are a field and a Const. A field
// that the request does not have makes them fail, except for NotExists. The
// ones that begin with Not hold exactly where the other fails.
//
// Those of the first group look at a list one element at a time: a clause
// applies where it applies with one of the elements. Where there are more than
// 64 combinations of elements it is unclear. A number in a text counts as the
// number where it is compared with one. Text is compared by its case.
const (
	Equals     Op = "equals"
	NotEquals  Op = "not_equals"
	In         Op = "in" // Const is a list
	NotIn      Op = "not_in"
	StartsWith Op = "starts_with"
	EndsWith   Op = "ends_with"
	Matches    Op = "matches" // RE2, anywhere in the text
	NotMatches Op = "not_matches"
	Glob       Op = "glob" // a star stands for any text; Const is one or a list
	NotGlob    Op = "not_glob"
	GT         Op = "gt" // numbers, or a time
	GTE        Op = "gte"
	LT         Op = "lt"
	LTE        Op = "lte"
	Between    Op = "between" // Const is a list of two; both ends belong
	CIDR       Op = "cidr"    // Const is a network or a list of them; the field is an address
	NotCIDR    Op = "not_cidr"
	InWindow   Op = "time_window" // Const is a Window; the field is a time
	NotWindow  Op = "not_time_window"

	// Of the whole list, or the text.
	Contains    Op = "contains" // a list has the element; a text has the text in it
	NotContains Op = "not_contains"
	ContainsAny Op = "contains_any" // Const is a list
	ContainsAll Op = "contains_all" // Const is a list
	Exists      Op = "exists"       // no Const
	NotExists   Op = "not_exists"   // no Const
	SizeEquals  Op = "size"         // Const is a number: of elements, or of characters
	SizeGT      Op = "size_gt"
	SizeLT      Op = "size_lt"
)

// What CEL is made of. Values have CEL's types, and numbers of both types
// compare with each other by what they are. Lists are values here, and never
// looked at one element at a time.
const (
	Eq        Op = "==" // of other types: false
	Ne        Op = "!="
	Less      Op = "<"
	LessEq    Op = "<="
	Greater   Op = ">"
	GreaterEq Op = ">="
	Add       Op = "+" // numbers, texts, lists, times and durations; overflow is unclear
	Sub       Op = "-"
	Mul       Op = "*"
	Div       Op = "/" // by nought: unclear
	Mod       Op = "%"
	Neg       Op = "neg"
	Cond      Op = "?:"
	Member    Op = "member" // element, list or map: CEL's in
	Index     Op = "index"  // list or map, place
	HasField  Op = "has"    // a field, or Index of one by a text: is it there
	Size      Op = "sizeof" // of a text in characters, of a list, of a map
	Begins    Op = "begins" // startsWith
	Ends      Op = "ends"   // endsWith
	Has       Op = "within" // text, part: contains
	Match     Op = "match"  // text, RE2
	GlobOf    Op = "globof" // text, glob: our own function glob()
	InNetwork Op = "innet"  // text, CIDR: our own function in_cidr()
	During    Op = "during" // time, Window: our own function in_window()
	Lower     Op = "lower"  // lowerAscii
	Upper     Op = "upper"  // upperAscii
	ToInt     Op = "int"    // of a number or a text
	ToDouble  Op = "double" // of a number or a text
	ToText    Op = "string" // of a number, a truth value or a text
	MakeList  Op = "list"   // of Args
	Exist     Op = "exist"  // CEL's exists: Args are a list and a body
	Every     Op = "every"  // CEL's all
	One       Op = "one"    // CEL's exists_one
	Filter    Op = "filter" // a list and a body
	Map       Op = "map"    // a list and a body
	TimePart  Op = "timeof" // time, part ("hours", "minutes", "day_of_week" from Sunday 0, "day_of_month" from 1, "month" from 0, "year"), zone
	ParseTime Op = "time"   // timestamp(text)
)

package body

// Finder finds the values of a set of paths in one reading of a body. It never
// changes once it is made, and is safe for concurrent use. The zero Finder
// looks for nothing.
//
// Its methods fill values, which must have room for each path, in the order of
// the paths. When they fail it is with ErrAmbiguous, and every value is Other.
type Finder struct {
	root  node
	lists []bool // by value: whether its path has an Each
}

// node is a place on the way to wanted values. Values go by their index.
type node struct {
	ends     []int // are here
	inFields []int // are within a field
	inEach   []int // are within the elements of a list
	fields   map[string]*node
	folded   map[string]bool // the fields' names, as readers who ignore case see them
	loose    map[string]bool // the fields' names, as the laxest form readers see them
	each     *node
}

// NewFinder makes a Finder of paths. The same path may be there twice.
func NewFinder(paths []Path) *Finder {
	f := &Finder{lists: make([]bool, len(paths))}
	for i, path := range paths {
		n := &f.root
		for _, name := range path {
			if name == Each {
				f.lists[i] = true
				n.inEach = append(n.inEach, i)
				n = n.element()
			} else {
				n.inFields = append(n.inFields, i)
				n = n.field(name)
			}
		}
		n.ends = append(n.ends, i)
	}
	return f
}

func (n *node) element() *node {
	if n.each == nil {
		n.each = &node{}
	}
	return n.each
}

func (n *node) field(name string) *node {
	if n.fields == nil {
		n.fields, n.folded, n.loose = map[string]*node{}, map[string]bool{}, map[string]bool{}
	}
	if n.fields[name] == nil {
		n.fields[name] = &node{}
		n.folded[string(fold(nil, []byte(name)))] = true
		n.loose[string(loosen(nil, []byte(name)))] = true
	}
	return n.fields[name]
}

// finding is one reading of a body: what was found until now.
type finding struct {
	finder *Finder
	values []Value
}

func (f *Finder) find(values []Value) finding {
	values = values[:len(f.lists)]
	clear(values)
	return finding{finder: f, values: values}
}

// foundScalar says that v stands at n.
func (f *finding) foundScalar(n *node, v Value) {
	for _, i := range n.ends {
		f.set(i, v)
	}
	if v.Kind != Null {
		v = Value{Kind: Other}
	}
	f.all(n.inFields, v)
	f.all(n.inEach, v)
}

// foundObject says that an object stands at n. Its fields are still to come.
func (f *finding) foundObject(n *node) {
	f.all(n.ends, Value{Kind: Other})
	f.all(n.inEach, Value{Kind: Other})
}

// foundArray says that an array stands at n. Its elements are still to come.
func (f *finding) foundArray(n *node) {
	f.all(n.ends, Value{Kind: Other})
	f.all(n.inFields, Value{Kind: Other})
	for _, i := range n.inEach {
		if f.values[i].Kind == Absent {
			f.values[i].Kind = List
		}
	}
}

func (f *finding) all(indexes []int, v Value) {
	for _, i := range indexes {
		f.set(i, v)
	}
}

// set says that v is the value i, or an element of it. What is said twice, and
// a list with an element that is no scalar, is unknown from then on.
func (f *finding) set(i int, v Value) {
	have := &f.values[i]
	switch {
	case have.Kind == Absent && (v.Kind == Null || !f.finder.lists[i]):
		*have = v
	case have.Kind == List && (v.Kind == String || v.Kind == Number || v.Kind == Bool):
		have.List = append(have.List, v.Text)
	default:
		*have = Value{Kind: Other}
	}
}

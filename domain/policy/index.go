package policy

import "strings"

// index finds the clauses that may apply to a request: by the words of its
// action, as branch does, and then by one thing that it has to be. It may find
// too many, but never leaves one out that could be anything but fails.
type index struct {
	words map[string]*index
	star  *index  // a star with words after it
	here  *bucket // of patterns that end here
	tail  *bucket // of patterns that end here in a star: they match longer names
}

// bucket are the clauses of one pattern.
type bucket struct {
	every []*clause
	keyed []keyed
}

// keyed are the clauses that are found by one field.
type keyed struct {
	field   *field
	by      map[string][]*clause
	absent  []*clause // those that are unclear without it
	several []*clause // those for which one list is not all there is to know
	all     []*clause
}

// perKey is how few clauses are not worth looking for.
const perKey = 4

func (x *index) add(pattern string, c *clause) {
	for more := true; more; {
		var word string
		word, pattern, more = strings.Cut(pattern, ".")
		switch {
		case word == "*" && !more:
			if x.tail == nil {
				x.tail = &bucket{}
			}
			x.tail.every = append(x.tail.every, c)
			return
		case word == "*":
			if x.star == nil {
				x.star = &index{}
			}
			x = x.star
		default:
			if x.words == nil {
				x.words = map[string]*index{}
			}
			if x.words[word] == nil {
				x.words[word] = &index{}
			}
			x = x.words[word]
		}
	}
	if x.here == nil {
		x.here = &bucket{}
	}
	x.here.every = append(x.here.every, c)
}

// settle sorts every bucket once all clauses are there.
func (x *index) settle() {
	if x == nil {
		return
	}
	x.here.settle()
	x.tail.settle()
	x.star.settle()
	for _, next := range x.words {
		next.settle()
	}
}

func (b *bucket) settle() {
	if b == nil || len(b.every) <= perKey {
		return
	}
	count := map[*field]int{}
	for _, c := range b.every {
		if c.found.key != nil {
			count[c.found.key.field]++
		}
	}
	all := b.every
	b.every = nil
	at := map[*field]int{}
	for _, c := range all {
		k := c.found.key
		if k == nil || count[k.field] <= perKey {
			b.every = append(b.every, c)
			continue
		}
		i, there := at[k.field]
		if !there {
			i = len(b.keyed)
			at[k.field] = i
			b.keyed = append(b.keyed, keyed{field: k.field, by: make(map[string][]*clause, count[k.field])})
		}
		b.keyed[i].add(c, k)
	}
}

func (k *keyed) add(c *clause, by *key) {
	k.all = append(k.all, c)
	for _, s := range by.texts {
		if all := k.by[s]; len(all) == 0 || all[len(all)-1] != c {
			k.by[s] = append(all, c)
		}
	}
	if by.absent {
		k.absent = append(k.absent, c)
	}
	if len(c.spread) > 1 {
		k.several = append(k.several, c)
	}
}

// find asks the clauses that may apply to the action name.
func (d *deciding) find(x *index, name string, more bool) {
	if !more {
		d.bucket(x.here)
		return
	}
	d.bucket(x.tail)
	word, rest, more := strings.Cut(name, ".")
	if next := x.words[word]; next != nil {
		d.find(next, rest, more)
	}
	if x.star != nil {
		d.find(x.star, rest, more)
	}
}

// findBelow asks those that may apply to an action of which only the first
// words are known, each with a dot after it.
func (d *deciding) findBelow(x *index, words string) {
	if x == nil {
		return
	}
	d.bucket(x.tail)
	if words != "" {
		word, rest, _ := strings.Cut(words, ".")
		d.findBelow(x.words[word], rest)
		d.findBelow(x.star, rest)
		return
	}
	for _, next := range x.words {
		d.bucket(next.here)
		d.findBelow(next, "")
	}
	d.findBelow(x.star, "") // where no pattern ends: it would end in a star
}

func (d *deciding) bucket(b *bucket) {
	if b == nil {
		return
	}
	d.ask(b.every)
	for i := range b.keyed {
		d.keyed(&b.keyed[i])
	}
}

// keyed asks the clauses that what their field is does not rule out.
func (d *deciding) keyed(k *keyed) {
	v := d.read(k.field)
	switch v.kind {
	case text:
		d.ask(k.by[v.text])
	case absent:
		d.ask(k.absent)
	case truth, whole, double, moment:
		// No text is one of them.
	case list:
		if k.field.part == onQuery {
			d.ask(k.all) // in CEL it is unclear which of them counts
			return
		}
		d.elements(k, &v)
	default:
		d.ask(k.all)
	}
}

func (d *deciding) elements(k *keyed, v *value) {
	size := v.size()
	for i := range min(size, maxCombinations+1) {
		if e := v.at(i); size > maxCombinations || e.kind != text && e.kind != truth && !e.numeric() {
			d.ask(k.all)
			return
		}
	}
	for i := range size {
		e := v.at(i)
		d.ask(k.by[e.text])
	}
	if size > 1 {
		d.ask(k.several)
	}
}

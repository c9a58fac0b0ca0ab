package openapi

import (
	"net/url"
	"strings"
)

const (
	maxRefs   = 8      // that follow each other
	maxNamed  = 20_000 // things in one place of the components
	maxSteps  = 12     // of a reference
	localPath = "#/"
)

// resolve follows a reference within the description, and what that refers to.
// A reference to another file or address leads to nothing, and so does one
// that comes back to itself.
func (r *reading) resolve(v value) (value, error) {
	for range maxRefs {
		ref, err := r.one(v, "$ref")
		if err != nil {
			return nil, err
		}
		if ref == nil {
			return v, nil
		}
		at, local := strings.CutPrefix(text(ref), localPath)
		if !local {
			return nil, nil
		}
		if v, err = r.find(strings.Split(at, "/")); err != nil || v == nil {
			return nil, err
		}
	}
	return nil, nil
}

// find goes where a reference points. What holds many things is read once.
func (r *reading) find(steps []string) (value, error) {
	if len(steps) > maxSteps {
		return nil, nil
	}
	for i, s := range steps {
		if plain, err := url.PathUnescape(s); err == nil {
			s = plain
		}
		steps[i] = strings.ReplaceAll(strings.ReplaceAll(s, "~1", "/"), "~0", "~")
	}
	v, from := r.top[steps[0]], 1
	if n := min(len(steps)-1, 2); n > 0 {
		key := strings.Join(steps[:n], "\x00")
		held, there := r.cache[key]
		if !there {
			var err error
			if held, err = r.held(steps[:n]); err != nil {
				return nil, err
			}
			r.cache[key] = held
		}
		v, from = held[steps[n]], n+1
	}
	for _, s := range steps[from:] {
		var err error
		if v, err = r.one(v, s); err != nil || v == nil {
			return nil, err
		}
	}
	return v, nil
}

const maxPlaces = 64

// held returns all that is at one place.
func (r *reading) held(steps []string) (map[string]value, error) {
	if len(r.cache) >= maxPlaces {
		return nil, nil
	}
	v := r.top[steps[0]]
	for _, s := range steps[1:] {
		var err error
		if v, err = r.one(v, s); err != nil {
			return nil, err
		}
	}
	all := map[string]value{}
	err := r.each(v, func(key string, v value) (bool, error) {
		all[key] = v
		return len(all) < maxNamed, nil
	})
	return all, err
}

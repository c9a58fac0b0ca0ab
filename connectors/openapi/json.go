package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
)

// value is a piece of valid JSON, still as text: of a large description nearly
// everything is never looked at.
type value []byte

// errTooMuch says that looking things up would take too long: a description
// can refer to itself in more ways than anyone can follow.
var errTooMuch = errors.New("too much to look at")

// looker looks into values, and counts how much it has looked at.
type looker struct{ left int }

// each calls f with each key of an object and its value, until f says that it
// has seen enough. What is no object has no keys.
func (l *looker) each(v value, f func(key string, v value) (more bool, err error)) error {
	return l.fields(v, func(key, v value) (bool, error) { return f(text(key), v) })
}

// fields is each with keys as they are written.
func (l *looker) fields(v value, f func(key, v value) (more bool, err error)) error {
	v = trim(v)
	if len(v) == 0 || v[0] != '{' {
		return nil
	}
	if l.left -= len(v) + 256; l.left < 0 { // also what is small costs something
		return errTooMuch
	}
	for i := 1; ; {
		for i < len(v) && (v[i] <= ' ' || v[i] == ',') {
			i++
		}
		if i >= len(v) || v[i] != '"' {
			return nil
		}
		end := i + skip(v[i:])
		key := v[i:end]
		for i = end; i < len(v) && (v[i] <= ' ' || v[i] == ':'); {
			i++
		}
		end = i + skip(v[i:])
		more, err := f(key, v[i:end])
		if err != nil || !more {
			return err
		}
		i = end
	}
}

// items returns the elements of an array, limit of them at most.
func (l *looker) items(v value, limit int) ([]value, error) {
	v = trim(v)
	if len(v) == 0 || v[0] != '[' {
		return nil, nil
	}
	if l.left -= len(v) + 256; l.left < 0 { // also what is small costs something
		return nil, errTooMuch
	}
	var all []value
	for i := 1; len(all) < limit; {
		for i < len(v) && (v[i] <= ' ' || v[i] == ',') {
			i++
		}
		if i >= len(v) || v[i] == ']' {
			break
		}
		end := i + skip(v[i:])
		all = append(all, v[i:end])
		i = end
	}
	return all, nil
}

// get returns the values of some keys, nil for those that are not there. Of a
// key that is there twice the last counts, as for nearly every reader.
func (l *looker) get(v value, keys ...string) ([]value, error) {
	found := make([]value, len(keys))
	err := l.fields(v, func(key, v value) (bool, error) {
		for i, k := range keys {
			if len(key) == len(k)+2 && string(key[1:len(key)-1]) == k || bytes.IndexByte(key, '\\') >= 0 && text(key) == k {
				found[i] = v
			}
		}
		return true, nil
	})
	return found, err
}

func (l *looker) one(v value, key string) (value, error) {
	found, err := l.get(v, key)
	return found[0], err
}

// skip returns where the value that v begins with ends.
func skip(v value) int {
	depth := 0
	for i := 0; i < len(v); i++ {
		switch v[i] {
		case '"':
			for i++; i < len(v) && v[i] != '"'; i++ {
				if v[i] == '\\' {
					i++
				}
			}
			if depth == 0 {
				return min(i+1, len(v))
			}
		case '{', '[':
			depth++
		case '}', ']':
			if depth == 0 {
				return i
			}
			if depth--; depth == 0 {
				return i + 1
			}
		case ',', ' ', '\t', '\r', '\n':
			if depth == 0 {
				return i
			}
		}
	}
	return len(v)
}

func trim(v value) value {
	for len(v) > 0 && v[0] <= ' ' {
		v = v[1:]
	}
	return v
}

const maxText = 2000

// text is a string, "" for what is none or is too long to be of use.
func text(v value) string {
	v = trim(v)
	if len(v) < 2 || v[0] != '"' || len(v) > maxText {
		return ""
	}
	var s string
	if bytes.IndexByte(v, '\\') < 0 {
		return string(v[1 : len(v)-1])
	}
	if json.Unmarshal(v, &s) != nil {
		return ""
	}
	return s
}

func yes(v value) bool { return string(trim(v)) == "true" }

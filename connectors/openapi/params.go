package openapi

import (
	"cmp"
	"regexp"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/definition"
)

const (
	maxPicked   = 8 // parameters of an operation
	maxLookedAt = 200
	maxAllOf    = 4 // schemas within schemas
)

// param is something that rules could look at.
type param struct {
	source string // "?dry_run"
	name   string
	typ    string // "integer"
	format string
	needed bool
}

var plainField = regexp.MustCompile(`^[A-Za-z0-9_$-]{1,60}$`)

// params picks what is worth a rule: what the path says, and of the query and
// the body what stands at their top and is a plain value.
func (r *reading) params(o definition.Operation, captures []string, lists []value, body value) ([]string, error) {
	var all []param
	for _, list := range lists {
		items, err := r.items(list, maxLookedAt)
		if err != nil {
			return nil, err
		}
		for _, item := range items {
			if item, err = r.resolve(item); err != nil {
				return nil, err
			}
			if all, err = r.parameter(all, item); err != nil {
				return nil, err
			}
		}
	}
	all, err := r.fields(all, body)
	if err != nil {
		return nil, err
	}
	var picked, names []string
	for _, c := range captures {
		if len(picked) < maxPicked/2 && !slices.Contains(names, c) && c != "resource" {
			picked, names = append(picked, c), append(names, lastWord(c))
		}
	}
	slices.SortStableFunc(all, func(a, b param) int { return cmp.Compare(a.rank(), b.rank()) })
	for _, p := range all {
		if len(picked) == maxPicked || p.rank() == hopeless {
			break
		}
		if slices.Contains(names, p.name) || p.name == "resource" {
			continue
		}
		names = append(names, p.name)
		picked = append(picked, p.written(o))
	}
	return picked, nil
}

func lastWord(s string) string { return s[strings.LastIndexByte(s, '.')+1:] }

// written is p in the notation of definitions. In a query everything is text,
// so its type has to be said.
func (p param) written(definition.Operation) string {
	types := map[string]string{"integer": ":int", "boolean": ":bool", "array": ":list"}
	if p.source[0] == '?' {
		return p.source + types[p.typ]
	}
	return p.source
}

func (r *reading) parameter(all []param, v value) ([]param, error) {
	f, err := r.get(v, "name", "in", "schema", "required", "type", "format")
	if err != nil {
		return nil, err
	}
	p := param{name: text(f[0]), typ: text(f[4]), format: text(f[5]), needed: yes(f[3])}
	switch text(f[1]) {
	case "body":
		return r.schema(all, f[2], 0)
	case "formData":
		r.forms++
		p.source = "." + p.name
	case "query":
		p.source = "?" + p.name
	default:
		return all, nil
	}
	if f[2] != nil {
		if p.typ, p.format, err = r.kind(f[2]); err != nil {
			return nil, err
		}
	}
	if plainField.MatchString(p.name) && len(all) < maxLookedAt {
		all = append(all, p)
	}
	return all, nil
}

func (r *reading) kind(schema value) (typ, format string, err error) {
	if schema, err = r.resolve(schema); err != nil {
		return "", "", err
	}
	v, err := r.get(schema, "type", "format")
	if err != nil {
		return "", "", err
	}
	if types, err := r.items(v[0], 5); err != nil || len(types) > 0 { // 3.1: ["string", "null"]
		for _, t := range types {
			if typ = text(t); typ != "null" {
				break
			}
		}
		return typ, text(v[1]), err
	}
	return text(v[0]), text(v[1]), nil
}

// fields adds what is at the top of a request's body.
func (r *reading) fields(all []param, body value) ([]param, error) {
	body, err := r.resolve(body)
	if err != nil || body == nil {
		return all, err
	}
	content, err := r.one(body, "content")
	if err != nil {
		return all, err
	}
	var asJSON, asForm value
	err = r.each(content, func(media string, v value) (bool, error) {
		media, _, _ = strings.Cut(strings.ToLower(media), ";")
		switch {
		case media == "application/json", strings.HasSuffix(media, "+json"), media == "*/*":
			asJSON = v
		case media == "application/x-www-form-urlencoded", media == "multipart/form-data":
			asForm = v
		}
		return true, nil
	})
	if err != nil {
		return all, err
	}
	switch {
	case asJSON != nil:
		r.forms--
	case asForm != nil:
		r.forms++
		asJSON = asForm
	}
	schema, err := r.one(asJSON, "schema")
	if err != nil {
		return all, err
	}
	return r.schema(all, schema, 0)
}

func (r *reading) schema(all []param, schema value, depth int) ([]param, error) {
	schema, err := r.resolve(schema)
	if err != nil || schema == nil || depth > maxAllOf {
		return all, err
	}
	v, err := r.get(schema, "properties", "required", "allOf")
	if err != nil {
		return all, err
	}
	required, err := r.items(v[1], maxLookedAt)
	if err != nil {
		return all, err
	}
	var needed []string
	for _, name := range required {
		needed = append(needed, text(name))
	}
	err = r.each(v[0], func(name string, v value) (bool, error) {
		p := param{source: "." + name, name: name, needed: slices.Contains(needed, name)}
		var err error
		if plainField.MatchString(name) {
			if p.typ, p.format, err = r.kind(v); err == nil {
				all = append(all, p)
			}
		}
		return len(all) < maxLookedAt, err
	})
	if err != nil {
		return all, err
	}
	parts, err := r.items(v[2], 10)
	for _, part := range parts {
		if err == nil {
			all, err = r.schema(all, part, depth+1)
		}
	}
	return all, err
}

var (
	telling = []string{
		"amount", "currency", "total", "price", "quantity", "to", "recipient", "email", "channel", "name", "role", "status", "state", "type", "kind", "action",
		"model", "branch", "ref", "base", "environment", "region", "account", "customer", "project", "url", "target", "destination", "force", "public", "private",
	}
	paging = []string{
		"page", "per_page", "perpage", "page_size", "pagesize", "page_token", "pagetoken", "limit", "offset", "cursor", "sort", "order", "order_by", "orderby",
		"fields", "expand", "include", "starting_after", "ending_before", "after", "before", "per-page", "count", "size", "skip", "top", "format", "pretty", "callback",
	}
	long = []string{"body", "content", "text", "html", "description", "message", "data", "payload", "notes", "note", "comment", "file", "image", "metadata", "summary", "title"}
)

const hopeless = 100

// rank orders parameters by how much a rule would want them.
func (p param) rank() int {
	name := strings.ToLower(p.name)
	switch {
	case definition.SecretName(p.name), slices.Contains(long, name), p.format == "binary", p.format == "byte", p.format == "password":
		return hopeless
	case slices.Contains(paging, name), p.typ == "object", p.typ == "array" && p.source[0] != '?', p.typ == "file":
		return hopeless
	}
	rank := 40
	if i := slices.Index(telling, name); i >= 0 {
		rank = 0
	}
	if !p.needed {
		rank += 20
	}
	if p.typ == "" { // nobody knows what it is
		rank += 30
	}
	return rank
}

package openapi

import (
	"net/url"
	"slices"
	"strings"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/definition"
)

// head reads what the description says of the service as a whole.
func (r *reading) head(info, docs value) error {
	title, err := r.one(info, "title")
	if err != nil {
		return err
	}
	r.d.Title = oneLine(text(title))
	r.d.Name = nameOf(r.d.Title)
	link, err := r.one(docs, "url")
	if err != nil {
		return err
	}
	if u, err := url.Parse(text(link)); err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(text(link)) <= 200 {
		r.d.Docs = text(link)
	}
	if r.old {
		r.place("https://"+text(r.top["host"]), text(r.top["basePath"]))
	} else if err := r.server(); err != nil {
		return err
	}
	if len(r.d.Hosts) == 0 {
		r.note("", "It does not say on which host the service is: name the hosts.")
	}
	return r.security()
}

// nameOf makes a type's name of a title: "Acme Billing API (v2)" is
// acme-billing.
func nameOf(title string) string {
	words := slices.DeleteFunc(definition.Words(title), func(w string) bool {
		return slices.Contains([]string{"api", "apis", "rest", "the", "openapi", "swagger", "http", "specification", "spec", "service", "public"}, w) || isVersion(w)
	})
	name := strings.Join(words, "-")
	for len(name) > 30 {
		i := strings.LastIndexByte(name, '-')
		if i <= 0 {
			name = name[:30]
			break
		}
		name = name[:i]
	}
	if name = strings.Trim(name, "-_"); name == "" {
		return "service"
	}
	return name
}

func isVersion(w string) bool {
	return w != "" && strings.Trim(w, "0123456789") == "" || len(w) > 1 && w[0] == 'v' && strings.Trim(w[1:], "0123456789") == ""
}

func oneLine(s string) string {
	s = strings.Join(strings.FieldsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r == '\uFEFF' }), " ")
	if len(s) > 100 {
		s = strings.ToValidUTF8(s[:100], "")
	}
	return s
}

func (r *reading) server() error {
	servers, err := r.items(r.top["servers"], 20)
	if err != nil || len(servers) == 0 {
		return err
	}
	v, err := r.get(servers[0], "url", "variables")
	if err != nil {
		return err
	}
	address := text(v[0])
	err = r.each(v[1], func(name string, v value) (bool, error) {
		usual, err := r.one(v, "default")
		address = strings.ReplaceAll(address, "{"+name+"}", text(usual))
		return len(address) < maxText, err
	})
	if err != nil {
		return err
	}
	r.place(address, "")
	if len(servers) > 1 {
		r.note("", "It names %d servers; the first is taken: %s. Add the hosts of the others if they are the same service.", len(servers), oneLine(address))
	}
	return nil
}

// place takes host and base from a server's address.
func (r *reading) place(address, base string) {
	u, err := url.Parse(address)
	if err != nil || strings.ContainsAny(address, "{}") {
		if address != "https://" {
			r.note("", "The server's address %s cannot be used: name the hosts.", oneLine(address))
		}
		return
	}
	if host := strings.ToLower(u.Hostname()); host != "" && len(host) < 254 {
		r.d.Hosts = []string{host}
		if u.Port() != "" && u.Port() != "443" {
			r.note("", "The server listens on port %s; the connector answers on all ports of its host.", u.Port())
		}
	}
	if base == "" {
		base = u.Path
	}
	if base = strings.Trim(base, "/"); base == "" {
		return
	}
	if base = "/" + base; definition.CheckPath(base) != "" || strings.Contains(base, "{") {
		r.note("", "What all paths begin with, %s, cannot be used: say what it is.", oneLine(base))
		return
	}
	r.d.Base = base
}

// security takes over how the service is shown a credential: the first way
// that is asked for everywhere, or else the first that there is.
func (r *reading) security() error {
	schemes := r.top["securityDefinitions"]
	if !r.old {
		var err error
		if schemes, err = r.one(r.top["components"], "securitySchemes"); err != nil {
			return err
		}
	}
	wanted, err := r.wanted()
	if err != nil {
		return err
	}
	best, n, others := -1, 0, 0
	err = r.each(schemes, func(name string, v value) (bool, error) {
		n++
		v, err := r.resolve(v)
		if err != nil {
			return false, err
		}
		style, ok, err := r.style(v)
		if err != nil || !ok {
			return n < 50, err
		}
		rank := slices.Index(wanted, name)
		if rank < 0 {
			rank = len(wanted) + n
		}
		others++
		if best < 0 || rank < best {
			best, r.d.Auth = rank, style
		}
		return n < 50, nil
	})
	if others > 1 {
		r.note("", "It takes credentials in %d ways; chosen is %s.", others, styleWords(r.d.Auth))
	}
	if n > 0 && others == 0 {
		r.note("", "None of its ways to show a credential can be used here; Authorization: Bearer is assumed.")
	}
	return err
}

// wanted returns the names of the schemes that operations need unless they say
// otherwise.
func (r *reading) wanted() ([]string, error) {
	all, err := r.items(r.top["security"], 20)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, one := range all {
		if err := r.each(one, func(name string, _ value) (bool, error) {
			names = append(names, name)
			return len(names) < 20, nil
		}); err != nil {
			return nil, err
		}
	}
	return names, nil
}

func (r *reading) style(scheme value) (s credential.Style, ok bool, err error) {
	v, err := r.get(scheme, "type", "scheme", "in", "name")
	if err != nil {
		return s, false, err
	}
	switch typ, in := text(v[0]), text(v[2]); {
	case typ == "basic", typ == "http" && strings.EqualFold(text(v[1]), "basic"):
		s.Kind = credential.Basic
	case typ == "oauth2", typ == "openIdConnect", typ == "http" && strings.EqualFold(text(v[1]), "bearer"):
		s.Kind = credential.Bearer
	case typ == "apiKey" && in == "header" && strings.EqualFold(text(v[3]), "Authorization"):
		s.Kind = credential.Bearer
		r.note("", "The key goes into the header Authorization; “Bearer” before it is assumed. If the service wants it bare, make it a header of that name.")
	case typ == "apiKey" && in == "header":
		s = credential.Style{Kind: credential.Header, Name: text(v[3])}
	case typ == "apiKey" && in == "query":
		s = credential.Style{Kind: credential.Query, Name: text(v[3])}
	default:
		return s, false, nil
	}
	return s, s.Check() == nil, nil
}

func styleWords(s credential.Style) string {
	if s.Name == "" {
		return string(s.Kind)
	}
	return string(s.Kind) + " " + s.Name
}

package policy_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/tameflare/tameflare/domain/action"
	"github.com/tameflare/tameflare/domain/policy"
)

// set makes one fact of a case true: params.base="main", body={…}, norequest.
func (c *decisionCase) set(fact string) error {
	q := &c.question
	a := &q.Action
	key, text, _ := strings.Cut(fact, "=")
	word := text
	if unquoted, err := strconv.Unquote(text); err == nil {
		word = unquoted
	}
	if name, ok := strings.CutPrefix(key, "params."); ok {
		value, err := parameter(text)
		a.Params[name] = value
		return err
	}
	if name, ok := strings.CutPrefix(key, "query."); ok {
		value, err := parameter(text)
		if list, several := value.([]string); several {
			q.Request.Query[name] = list
		} else {
			q.Request.Query[name] = []string{fmt.Sprint(value)}
		}
		return err
	}
	if name, ok := strings.CutPrefix(key, "headers."); ok {
		q.Request.Header[name] = word
		return nil
	}
	var err error
	switch key {
	case "action":
		a.Name = word
	case "connector":
		a.Connector = word
	case "type":
		q.Type = word
	case "class":
		err = a.Class.UnmarshalText([]byte(word))
	case "risk":
		err = a.Risk.UnmarshalText([]byte(word))
	case "reversible":
		a.Reversible = true
	case "resource":
		a.Resource = word
	case "unknown":
		a.Unknown = strings.Split(word, ",")
	case "or":
		name, class, _ := strings.Cut(word, "/")
		other := action.Alternative{Name: name}
		err = other.Class.UnmarshalText([]byte(class))
		a.Or = append(a.Or, other)
	case "method":
		q.Request.Method = word
	case "host":
		q.Request.Host = word
	case "path":
		q.Request.Path = word
	case "scheme":
		q.Request.Scheme = word
	case "body":
		q.Request.Body, err = decoded(text)
	case "hidden":
		q.Request.Hidden = strings.Split(word, ",")
	case "norequest":
		q.Request = nil
	case "norun":
		q.Run = nil
	case "run":
		q.Run = &policy.Run{ID: "run_2", Principal: word}
	case "notime":
		q.Time = time.Time{}
	case "time":
		q.Time, err = time.Parse(time.RFC3339Nano, word)
	case "zero":
		*q = policy.Question{}
	default:
		err = fmt.Errorf("what is %s", key)
	}
	return err
}

// parameter reads a value of a parameter: as in JSON, a list of texts, n*["a"] for
// one that is there n times, or something that nobody knows.
func parameter(s string) (any, error) {
	switch s {
	case "strange":
		return []int{1}, nil
	case "nan":
		return math.NaN(), nil
	case "inf":
		return math.Inf(1), nil
	}
	times := 1
	if n, rest, ok := strings.Cut(s, "*["); ok {
		var err error
		if times, err = strconv.Atoi(n); err != nil {
			return nil, err
		}
		s = "[" + rest
	}
	value, err := decoded(s)
	if list, ok := value.([]any); ok {
		texts := []string{}
		for _, one := range list {
			text, ok := one.(string)
			if !ok {
				return list, err
			}
			texts = append(texts, text)
		}
		return slices.Repeat(texts, times), err
	}
	return value, err
}

// decoded reads JSON as requests are read: whole numbers as int64.
func decoded(s string) (any, error) {
	d := json.NewDecoder(bytes.NewReader([]byte(s)))
	d.UseNumber()
	var value any
	if err := d.Decode(&value); err != nil {
		return nil, err
	}
	return numbers(value), nil
}

func numbers(value any) any {
	switch x := value.(type) {
	case json.Number:
		if n, err := x.Int64(); err == nil {
			return n
		}
		f, err := x.Float64()
		if err != nil {
			return nil
		}
		return f
	case []any:
		for i := range x {
			x[i] = numbers(x[i])
		}
	case map[string]any:
		for k := range x {
			x[k] = numbers(x[k])
		}
	}
	return value
}

func show(x any) string { return fmt.Sprint(x) }

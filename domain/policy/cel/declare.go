package cel

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/checker"
	"cel.dev/cel-go/common/containers"
	"cel.dev/cel-go/common/decls"
	"cel.dev/cel-go/common/stdlib"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/parser"

	"github.com/tameflare/tameflare/domain/policy"
)

// language is what reads expressions. Making it takes a while, and nobody
// needs it who has no expression, so it is made when it is first asked for.
type language struct {
	parser *parser.Parser
	env    *checker.Env
}

var loaded = sync.OnceValues(load)

func load() (*language, error) {
	p, err := parser.NewParser(
		parser.EnablePrattParser(true), // the other one takes long over hostile text
		parser.Macros(parser.HasMacro, parser.AllMacro, parser.ExistsMacro, parser.ExistsOneMacro, parser.MapMacro, parser.MapFilterMacro, parser.FilterMacro),
		parser.MaxRecursionDepth(4*maxNesting),
		parser.MaxExpressionNodeCount(20*maxNodes),
		parser.ErrorRecoveryLimit(1),
		parser.EnableIdentEscapeSyntax(false),
	)
	if err != nil {
		return nil, fmt.Errorf("make the parser: %w", err)
	}
	registry, err := types.NewRegistry()
	if err != nil {
		return nil, fmt.Errorf("make the types: %w", err)
	}
	env, err := checker.NewEnv(containers.DefaultContainer, registry, checker.CrossTypeNumericComparisons(true))
	if err != nil {
		return nil, fmt.Errorf("make the checker: %w", err)
	}
	own, err := functions()
	if err != nil {
		return nil, fmt.Errorf("declare functions: %w", err)
	}
	if err := env.AddFunctions(append(stdlib.Functions(), own...)...); err != nil {
		return nil, fmt.Errorf("declare functions: %w", err)
	}
	if err := env.AddIdents(variables()...); err != nil {
		return nil, fmt.Errorf("declare fields: %w", err)
	}
	return &language{p, env}, nil
}

// variables are the fields, as the checker knows them: one whose name has a
// dot is one variable with a dot in its name.
func variables() []*decls.VariableDecl {
	var all []*decls.VariableDecl
	for _, f := range policy.Fields() {
		name, typ := f.Name, celType(f.Type)
		if root, open := rootOf(name); open {
			name, typ = root, types.NewMapType(types.StringType, typ)
		}
		if name == body {
			typ = types.DynType
		}
		all = append(all, decls.NewVariable(name, typ))
	}
	return all
}

func celType(t policy.FieldType) *types.Type {
	switch t {
	case policy.Text:
		return types.StringType
	case policy.Whole:
		return types.IntType
	case policy.Truth:
		return types.BoolType
	case policy.Timestamp:
		return types.TimestampType
	case policy.Dyn:
	}
	return types.DynType
}

// functions are those that CEL does not have.
func functions() ([]*decls.FunctionDecl, error) {
	text, truth := types.StringType, types.BoolType
	two := []*types.Type{text, text}
	var all []*decls.FunctionDecl
	for _, f := range []struct {
		name     string
		overload decls.FunctionOpt
	}{
		{"glob", decls.Overload("glob_string_string", two, truth)},
		{"in_cidr", decls.Overload("in_cidr_string_string", two, truth)},
		{"in_window", decls.Overload("in_window_timestamp_string", []*types.Type{types.TimestampType, text}, truth)},
		{"lowerAscii", decls.MemberOverload("string_lower_ascii", two[:1], text)},
		{"upperAscii", decls.MemberOverload("string_upper_ascii", two[:1], text)},
	} {
		d, err := decls.NewFunction(f.name, f.overload)
		if err != nil {
			return nil, fmt.Errorf("declare %s: %w", f.name, err)
		}
		all = append(all, d)
	}
	return all, nil
}

package judge_test

import (
	"slices"
	"testing"

	"github.com/tameflare/tameflare/app/judge"
	"github.com/tameflare/tameflare/connectors"
	"github.com/tameflare/tameflare/domain/audit"
)

func TestARecordedPathIsJudgedInItsOneSpelling(t *testing.T) {
	t.Parallel()

	set, err := connectors.NewSet(nil)
	if err != nil {
		t.Fatal(err)
	}
	j := &judge.Judge{Set: set}
	for raw, want := range map[string]string{"/admin": "/admin", "/%61dmin/": "/admin", "//admin": "", "/x/../admin": "", "/cut…": ""} {
		row := new(audit.Request)
		row.Method, row.Scheme, row.Host, row.Path = "GET", "https", "api.example.com", raw
		row.Action = "http.get"
		q, ok := j.Question(row)
		if !ok || q.Request.Path != want || slices.Contains(q.Request.Hidden, "path") != (want == "") {
			t.Errorf("%s: %v, %+v, want %q", raw, ok, q.Request, want)
		}
	}
}

package kill

import (
	"errors"
	"testing"

	"github.com/tameflare/tameflare/cli/exit"
)

func TestWhatWentWrongHereIsSaidToo(t *testing.T) {
	t.Parallel()

	for want, err := range map[string]error{"gateway box: it does not answer": errors.New("gateway box: it does not answer"), "": nil} {
		got := degraded(err)
		if code, message := exit.Code(got), exit.Message(got); code != exit.Degraded || message != want {
			t.Errorf("code %d, %q, want %d, %q", code, message, exit.Degraded, want)
		}
	}
}

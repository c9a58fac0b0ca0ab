package fault_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/fault"
)

func TestUnclassifiedErrorSaysNothing(t *testing.T) {
	t.Parallel()

	err := fmt.Errorf("dial 10.0.0.7:5432: %w", errors.New("password rejected"))
	if got, want := fault.Of(err), fault.Internal; got != want {
		t.Errorf("Of = %v, want %v", got, want)
	}
	if msg := fault.Message(err); strings.Contains(msg, "password") {
		t.Errorf("Message leaks the cause: %q", msg)
	}
}

func TestKindSurvivesWrappingAndTheWire(t *testing.T) {
	t.Parallel()

	for k := fault.Internal; k <= fault.Limited; k++ {
		err := fmt.Errorf("decide approval: %w", fault.New(k, "Too late.", errors.New("cause")))
		if got := fault.Of(err); got != k {
			t.Errorf("Of = %v, want %v", got, k)
		}
		if got := fault.Parse(k.String()); got != k {
			t.Errorf("Parse(%q) = %v, want %v", k, got, k)
		}
		if k.Status() < 400 {
			t.Errorf("%v.Status = %d", k, k.Status())
		}
	}
}

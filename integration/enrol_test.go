package integration_test

import (
	"strings"
	"testing"
)

// A machine without a login becomes a gateway with what somebody else printed.
func TestTheGatewayProgramEnrolsWithAPrintedEnrolment(t *testing.T) {
	t.Parallel()

	w := newWorld(t, "", standard)
	enrolment, err := w.Do(t.Context(), "", "tameflare", "gateway", "enrolment", "--gateway", "agent")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.Do(t.Context(), enrolment, "tameflare-gateway", "enrol", "--token", "-", "--state", w.Path("elsewhere")); err != nil {
		t.Fatal(err)
	}
	_, err = w.Do(t.Context(), enrolment, "tameflare-gateway", "enrol", "--token", "-", "--state", w.Path("again"))
	if err == nil || !strings.Contains(err.Error(), "has been used") {
		t.Errorf("the second use: %v", err)
	}
}

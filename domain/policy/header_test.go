package policy_test

import (
	"testing"

	"github.com/tameflare/tameflare/domain/policy"
)

func TestHeadersThatCarryCredentialsAreKnown(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"authorization": true, "Proxy-Authorization": true, "cookie": true, "Set-Cookie": true, "x-api-key": true, "Api-Key": true,
		"apikey": true, "x-auth-key": true, "Private-Token": true, "x-amz-security-token": true, "x-goog-api-key": true,
		"X-Hub-Signature-256": true, "x-session-id": true, "x-client-secret": true, "cf-access-jwt-assertion": true,
		"accept": false, "content-type": false, "user-agent": false, "x-request-id": false, "x-reason": false, "idempotency-key": false,
		"x-amz-target": false, "notion-version": false, "x-author": false,
	} {
		if got := policy.SecretHeader(name); got != want {
			t.Errorf("%s: got %v, want %v", name, got, want)
		}
	}
}

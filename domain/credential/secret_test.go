package credential_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
)

func TestSecretStaysSecret(t *testing.T) {
	t.Parallel()

	const canary = "s3cr3t-canary"
	s := credential.NewSecret(canary)
	holder := struct {
		S credential.Secret
		P *credential.Secret
	}{s, &s}
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "s", s, "h", holder, "p", &s)
	slog.New(slog.NewTextHandler(&log, nil)).Info("x", "s", s, "h", holder, "p", &s)
	js, jsErr := json.Marshal(holder)

	for name, text := range map[string]string{
		"%v": fmt.Sprintf("%v", holder), "%+v": fmt.Sprintf("%+v", holder), "%#v": fmt.Sprintf("%#v", holder),
		"%s": fmt.Sprintf("%s", s), "%q": fmt.Sprintf("%q", s), "%x": fmt.Sprintf("%x", s), "log": log.String(), "json": string(js),
	} {
		if strings.Contains(text, canary) || strings.Contains(text, fmt.Sprintf("%x", canary)) {
			t.Errorf("%s shows the secret: %s", name, text)
		}
	}
	if jsErr == nil {
		t.Error("json.Marshal of a secret did not fail")
	}
}

package credential_test

import (
	"encoding/json"
	"testing"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

func TestZeroClientKeyReplaces(t *testing.T) {
	t.Parallel()

	var k credential.ClientKey
	if k != credential.Replace || k.String() != "replace" {
		t.Errorf("zero is %s", k)
	}
}

func TestClientKeysAreWords(t *testing.T) {
	t.Parallel()

	for k, word := range map[credential.ClientKey]string{
		credential.Replace: "replace", credential.Pass: "pass", credential.RequireDummy: "require_dummy",
	} {
		b, err := json.Marshal(k)
		if err != nil || string(b) != `"`+word+`"` {
			t.Errorf("%s written as %s, %v", k, b, err)
		}
		var back credential.ClientKey = 7
		if err := json.Unmarshal(b, &back); err != nil || back != k {
			t.Errorf("%s read as %s, %v", b, back, err)
		}
		v, err := k.Value()
		if err != nil || v != word {
			t.Errorf("%s kept as %v, %v", k, v, err)
		}
		back = 7
		if err := back.Scan(word); err != nil || back != k {
			t.Errorf("%s scanned as %s, %v", word, back, err)
		}
	}
}

func TestUnknownClientKeyIsRefused(t *testing.T) {
	t.Parallel()

	k := credential.Pass
	if err := k.UnmarshalText([]byte("keep")); fault.Of(err) != fault.Invalid || k != credential.Pass {
		t.Errorf("a word nobody knows: %v, %s", err, k)
	}
	if err := credential.ClientKey(9).Check(); fault.Of(err) != fault.Invalid {
		t.Errorf("a number nobody knows: %v", err)
	}
	if b, err := json.Marshal(credential.ClientKey(9)); err == nil {
		t.Errorf("a number nobody knows is written as %s", b)
	}
	if err := k.Scan(7); err == nil {
		t.Error("a number is scanned")
	}
}

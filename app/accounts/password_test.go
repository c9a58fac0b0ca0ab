package accounts

import (
	"strings"
	"testing"

	"github.com/alexedwards/argon2id"

	"github.com/tameflare/tameflare/domain/credential"
)

// With other parameters it would take another time to find out that there is
// no account, and everybody could see it.
func TestNobodysHashCostsWhatEverybodysDoes(t *testing.T) {
	t.Parallel()

	var p passwords
	somebodys, err := p.hash(t.Context(), credential.NewSecret("correct horse battery"))
	if err != nil {
		t.Fatal(err)
	}
	cost := func(hash string) argon2id.Params {
		params, _, _, err := argon2id.DecodeHash(hash)
		if err != nil {
			t.Fatal(err)
		}
		return *params
	}
	if got, want := cost(nobodys), cost(somebodys); got != want {
		t.Errorf("%+v, want %+v", got, want)
	}
	if ok, err := p.match(t.Context(), credential.NewSecret("correct horse battery"), somebodys); err != nil || !ok {
		t.Errorf("the right one: %v, %v", ok, err)
	}
	for _, password := range []string{"", "correct horse battery", strings.Repeat("x", 512)} {
		if ok, err := p.match(t.Context(), credential.NewSecret(password), ""); err != nil || ok {
			t.Errorf("%.20q is nobody's: %v, %v", password, ok, err)
		}
	}
}

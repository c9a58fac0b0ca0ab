package team

import (
	"strings"
	"testing"
)

func TestPairingListIsWhole(t *testing.T) {
	t.Parallel()

	seen := map[string]bool{}
	for _, w := range strings.Fields(pairingList) {
		if seen[w] || len(w) > 8 {
			t.Errorf("%q: twice, or too long", w)
		}
		seen[w] = true
	}
	if len(seen) != 256 {
		t.Errorf("%d words, want 256", len(seen))
	}
}

// Another version of the program has to come to the same words.
func TestPairingWordsStay(t *testing.T) {
	t.Parallel()

	for challenge, want := range map[string]string{
		"":                           "jacket scarf donkey jigsaw",
		"E9Melhoa2OwvFrEMTJguCHaoeK": "plum zebra album olive",
	} {
		if got := PairingWords(challenge); got != want {
			t.Errorf("PairingWords(%q) = %q, want %q", challenge, got, want)
		}
	}
}

package accounts

import (
	"context"
	"fmt"
	"runtime/debug"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/alexedwards/argon2id"

	"github.com/tameflare/tameflare/domain/credential"
	"github.com/tameflare/tameflare/domain/fault"
)

const (
	minPassword = 12
	maxPassword = 512
)

// argon are OWASP's parameters for argon2id. More memory would not fit the
// small machines that this runs on.
var argon = argon2id.Params{Memory: 19 << 10, Iterations: 2, Parallelism: 1, SaltLength: 16, KeyLength: 32}

// common are passwords that are long enough and still in every list.
var common = map[string]bool{
	"123456789012": true, "1234567890123": true, "12345678901234": true, "1234567890123456": true,
	"passwordpassword": true, "password1234": true, "password12345": true, "password123456": true,
	"qwertyuiop12": true, "qwertyuiop123": true, "qwertyuiopasdf": true, "qwerty123456": true, "1q2w3e4r5t6y": true,
	"iloveyou1234": true, "abcdefghijkl": true, "abcdefghijklm": true, "adminadminadmin": true, "letmeinletmein": true,
	"changemechangeme": true, "administrator": true, "unknownunknown": true,
}

// checkPassword fails with fault.Invalid and a sentence where password will
// not do for the account of that address.
func checkPassword(password, email string) error {
	invalid := func(message string) error { return fault.New(fault.Invalid, message, nil) }
	low := strings.ToLower(password)
	switch {
	case utf8.RuneCountInString(password) < minPassword:
		return invalid("A password has at least 12 characters. A few words in a row are easy to remember.")
	case len(password) > maxPassword:
		return invalid("A password has at most 512 characters.")
	case !utf8.ValidString(password) || strings.ContainsRune(password, 0):
		return invalid("This password has a character in it that cannot be typed.")
	case low == email:
		return invalid("The password cannot be the e-mail address.")
	case common[low], strings.Count(low, low[:1]) == len(low):
		return invalid("This password is one of the first that anybody would try. Choose another.")
	}
	return nil
}

// nobodys is a hash under argon that no password is known for. To compare with
// it takes as long as with anybody's.
const nobodys = "$argon2id$v=19$m=19456,t=2,p=1$IcTHGh9/x0PAIch9cOQPBQ$XzYSLeAaSRFbs+rrhxoPU6IZEpZwFCAg1LVu+fTIlVk"

// passwords hashes and compares, two at a time: each takes 19 MB and a good
// part of a second's processor, and many at once would starve everything else.
type passwords struct {
	once  sync.Once
	turns chan struct{}
}

func (p *passwords) turn(ctx context.Context) (done func(), err error) {
	p.once.Do(func() { p.turns = make(chan struct{}, 2) })
	select {
	case p.turns <- struct{}{}:
		return func() {
			// The server is small, and what a hash has used is as much as all
			// the rest of it. The collector alone would keep it for minutes.
			debug.FreeOSMemory()
			<-p.turns
		}, nil
	case <-ctx.Done():
		return nil, fmt.Errorf("wait for a turn: %w", ctx.Err())
	}
}

func (p *passwords) hash(ctx context.Context, password credential.Secret) (string, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return "", err
	}
	defer done()
	h, err := argon2id.CreateHash(password.Reveal(), &argon)
	if err != nil {
		return "", fmt.Errorf("hash password: %w", err)
	}
	return h, nil
}

// match compares password with a hash, or, where there is no account, with one
// that nothing matches, so that both take the same time.
func (p *passwords) match(ctx context.Context, password credential.Secret, hash string) (bool, error) {
	done, err := p.turn(ctx)
	if err != nil {
		return false, err
	}
	defer done()
	nobody := hash == ""
	if nobody {
		hash = nobodys
	}
	ok, err := argon2id.ComparePasswordAndHash(password.Reveal(), hash)
	if err != nil {
		return false, fmt.Errorf("compare password: %w", err)
	}
	return ok && !nobody, nil
}

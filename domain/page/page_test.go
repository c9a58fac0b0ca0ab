package page_test

import (
	"testing"
	"time"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/page"
)

func TestCursorComesBack(t *testing.T) {
	t.Parallel()

	for _, want := range []page.Cursor{
		{},
		{Time: time.Date(2026, 1, 2, 3, 4, 5, 678000, time.UTC), ID: "req_abc"},
		{Time: time.UnixMicro(0).UTC(), ID: "x"},
	} {
		got, err := page.Parse(want.String())
		if err != nil || got.ID != want.ID || !got.Time.Equal(want.Time) {
			t.Errorf("%+v became %+v, %v", want, got, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("")
	f.Add("MCB4")
	f.Add("!!")
	f.Add(page.Cursor{Time: time.UnixMicro(1).UTC(), ID: "req_1"}.String())
	f.Fuzz(func(t *testing.T, s string) {
		c, err := page.Parse(s)
		if err != nil {
			if fault.Of(err) != fault.Invalid {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		again, err := page.Parse(c.String())
		if err != nil || again.ID != c.ID || !again.Time.Equal(c.Time) {
			t.Errorf("%q: %+v became %+v, %v", s, c, again, err)
		}
	})
}

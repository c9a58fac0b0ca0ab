package policy_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/tameflare/tameflare/domain/fault"
	"github.com/tameflare/tameflare/domain/policy"
)

func TestWindowsAreReadAndWritten(t *testing.T) {
	t.Parallel()
	for text, c := range map[string]struct {
		want  policy.Window
		again string // as it is written then
	}{
		"mon-fri 09:00-17:00 Europe/Berlin": {policy.Window{Days: []time.Weekday{1, 2, 3, 4, 5}, From: 540, To: 1020, Zone: "Europe/Berlin"}, "mon-fri 09:00-17:00 Europe/Berlin"},
		"9:00-17:30":                        {policy.Window{From: 540, To: 1050, Zone: "UTC"}, "09:00-17:30 UTC"},
		"22:00-06:00 America/New_York":      {policy.Window{From: 1320, To: 360, Zone: "America/New_York"}, "22:00-06:00 America/New_York"},
		"sat,sun 00:00-24:00":               {policy.Window{Days: []time.Weekday{6, 0}, From: 0, To: 1440, Zone: "UTC"}, "sat,sun 00:00-24:00 UTC"},
		"Sunday 18:00-00:00":                {policy.Window{Days: []time.Weekday{0}, From: 1080, To: 1440, Zone: "UTC"}, "sun 18:00-24:00 UTC"},
		"fri-mon 00:00-24:00":               {policy.Window{Days: []time.Weekday{1, 5, 6, 0}, From: 0, To: 1440, Zone: "UTC"}, "mon,fri-sun 00:00-24:00 UTC"},
		"wed,mon,tue 08:00-08:00":           {policy.Window{Days: []time.Weekday{1, 2, 3}, From: 480, To: 480, Zone: "UTC"}, "mon-wed 08:00-08:00 UTC"},
		"mon-sun 01:02-03:04 Etc/GMT+3":     {policy.Window{From: 62, To: 184, Zone: "Etc/GMT+3"}, "01:02-03:04 Etc/GMT+3"},
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			got, err := policy.ParseWindow(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(got, c.want); diff != "" {
				t.Error(diff)
			}
			if got.String() != c.again {
				t.Errorf("got %q, want %q", got.String(), c.again)
			}
		})
	}
}

func TestWindowsThatAreNone(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", " ", "mon-fri", "mon-fri Europe/Berlin", "09:00", "09:00-", "09-17", "9:0-17:00", "25:00-26:00", "24:01-03:00",
		"09:00-17:60", "mon-fri 09:00-17:00 Europe/Berlin now", "mo-fr 09:00-17:00", "mon- 09:00-17:00", ", 09:00-17:00",
		"09:00-17:00 Local", "09:00-17:00 Europe/Nowhere", "09:00-17:00 ../UTC", "09:00-17:00 posix/UTC", "09:00-17:00 localtime",
		"09:00-17:00 UTC UTC", "+9:00-17:00", "09:00-17:00 utc",
	} {
		t.Run(text, func(t *testing.T) {
			t.Parallel()
			w, err := policy.ParseWindow(text)
			if fault.Of(err) != fault.Invalid {
				t.Errorf("got %v and %v, want an invalid one", w, err)
			}
		})
	}
}

func FuzzParseWindow(f *testing.F) {
	for _, s := range []string{"mon-fri 09:00-17:00 Europe/Berlin", "22:00-06:00", "sat,sun 00:00-24:00 UTC", "sun-mon 0:00-0:00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		w, err := policy.ParseWindow(s)
		if err != nil {
			return
		}
		if w.From < 0 || w.From > 1439 || w.To < 1 || w.To > 1440 || len(w.Days) > 6 {
			t.Errorf("%q is read as %+v", s, w)
		}
		if _, err := time.LoadLocation(w.Zone); err != nil {
			t.Error(err)
		}
		again, err := policy.ParseWindow(w.String())
		if diff := cmp.Diff(again, w); diff != "" || err != nil {
			t.Errorf("%q is written as %q: %v\n%s", s, w, err, diff)
		}
	})
}

package policy

import (
	"time"
)

const day = 24 * 60 // minutes

// hours is a Window ready to be asked.
type hours struct {
	days     [7]bool
	from, to int
	zone     *time.Location
}

// hours makes w ready, or says what is wrong with it.
func (c *compiler) hours(w *Window) (*hours, string) {
	h := &hours{from: w.From, to: w.To}
	if w.From < 0 || w.From >= day || w.To < 1 || w.To > day {
		return nil, "A window begins between 00:00 and 23:59, and ends between 00:01 and 24:00."
	}
	for _, d := range w.Days {
		if d < time.Sunday || d > time.Saturday {
			return nil, "A day is one of the seven of a week."
		}
		h.days[d] = true
	}
	if len(w.Days) == 0 {
		h.days = [7]bool{true, true, true, true, true, true, true}
	}
	var bad string
	h.zone, bad = c.zone(w.Zone)
	return h, bad
}

// zone finds a time zone. The same one is read only once.
func (c *compiler) zone(name string) (*time.Location, string) {
	if zone := c.zones[name]; zone != nil {
		return zone, ""
	}
	if CheckZone(name) != nil {
		return nil, "There is no such time zone; write one such as UTC or Europe/Berlin."
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, "There is no such time zone; write one such as UTC or Europe/Berlin."
	}
	c.zones[name] = zone
	return zone, ""
}

// include reports whether t is within h, by the clock on the wall.
func (h *hours) include(t time.Time) bool {
	t = t.In(h.zone)
	today, minute := t.Weekday(), t.Hour()*60+t.Minute()
	if h.to > h.from {
		return h.days[today] && minute >= h.from && minute < h.to
	}
	yesterday := (today + 6) % 7
	return h.days[today] && minute >= h.from || h.days[yesterday] && minute < h.to
}

package policy

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // zones are the same wherever a policy is read

	"github.com/tameflare/tameflare/domain/fault"
)

// weekdays is in the order in which people write a week.
var weekdays = [...]struct {
	short, long string
	day         time.Weekday
}{
	{"mon", "monday", time.Monday}, {"tue", "tuesday", time.Tuesday}, {"wed", "wednesday", time.Wednesday},
	{"thu", "thursday", time.Thursday}, {"fri", "friday", time.Friday}, {"sat", "saturday", time.Saturday},
	{"sun", "sunday", time.Sunday},
}

const windowForm = `A window is written like "mon-fri 09:00-17:00 Europe/Berlin"`

// ParseWindow reads a part of the week: days, hours and a zone, such as
// "mon-fri 09:00-17:00 Europe/Berlin". Without days it is every day, without a
// zone UTC. Hours whose end is not after their begin go on into the next day,
// and 24:00 is the end of a day. It fails with fault.Invalid.
func ParseWindow(s string) (Window, error) {
	w := Window{Zone: "UTC"}
	words := strings.Fields(s)
	if len(s) > 200 || len(words) == 0 || len(words) > 3 {
		return Window{}, badWindow(".")
	}
	if !strings.ContainsAny(words[0][:1], "0123456789") {
		days, err := parseDays(words[0])
		if err != nil {
			return Window{}, err
		}
		w.Days, words = days, words[1:]
	}
	if len(words) == 0 {
		return Window{}, badWindow("; the hours are missing.")
	}
	var err error
	if w.From, w.To, err = parseHours(words[0]); err != nil {
		return Window{}, err
	}
	switch words = words[1:]; len(words) {
	case 0:
		return w, nil
	case 1:
		if err = CheckZone(words[0]); err != nil {
			return Window{}, err
		}
		w.Zone = words[0]
		return w, nil
	}
	return Window{}, badWindow("; one zone is enough.")
}

func badWindow(end string) error { return fault.New(fault.Invalid, windowForm+end, nil) }

// parseDays reads "mon-fri" or "mon,wed,sat-sun". Every day is none.
func parseDays(s string) ([]time.Weekday, error) {
	var on [len(weekdays)]bool
	for part := range strings.SplitSeq(strings.ToLower(s), ",") {
		first, last, isRange := strings.Cut(part, "-")
		from, to := dayNamed(first), dayNamed(first)
		if isRange {
			to = dayNamed(last)
		}
		if from < 0 || to < 0 {
			return nil, badWindow("; the days are mon, tue, wed, thu, fri, sat and sun.")
		}
		for i := from; ; i = (i + 1) % len(weekdays) {
			on[i] = true
			if i == to {
				break
			}
		}
	}
	var days []time.Weekday
	for i, d := range weekdays {
		if on[i] {
			days = append(days, d.day)
		}
	}
	if len(days) == len(weekdays) {
		return nil, nil
	}
	return days, nil
}

func dayNamed(s string) int {
	for i, d := range weekdays {
		if s == d.short || s == d.long {
			return i
		}
	}
	return -1
}

func parseHours(s string) (from, to int, err error) {
	first, last, ok := strings.Cut(s, "-")
	if !ok {
		return 0, 0, badWindow("; the hours need a begin and an end.")
	}
	if from, err = parseMinute(first); err != nil {
		return 0, 0, err
	}
	if to, err = parseMinute(last); err != nil {
		return 0, 0, err
	}
	if from == 24*60 {
		from = 0
	}
	if to == 0 {
		to = 24 * 60
	}
	return from, to, nil
}

// parseMinute reads "9:00" as minutes after midnight.
func parseMinute(s string) (int, error) {
	hours, minutes, _ := strings.Cut(s, ":")
	h, ok1 := digits(hours)
	m, ok2 := digits(minutes)
	if !ok1 || !ok2 || len(minutes) != 2 || m > 59 || h*60+m > 24*60 {
		return 0, badWindow("; hours go from 00:00 to 24:00.")
	}
	return h*60 + m, nil
}

func digits(s string) (int, bool) {
	if len(s) < 1 || len(s) > 2 || strings.Trim(s, "0123456789") != "" {
		return 0, false
	}
	n, err := strconv.Atoi(s)
	return n, err == nil
}

var zoneForm = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// CheckZone fails with fault.Invalid where name is not that of a time zone
// which every machine has.
func CheckZone(name string) error {
	err := errors.New("not the name of a zone")
	if name != "Local" && name != "Factory" && len(name) < 64 && zoneForm.MatchString(name) {
		_, err = time.LoadLocation(name)
	}
	if err != nil {
		return fault.New(fault.Invalid, fmt.Sprintf("There is no time zone %.40q; write one such as UTC, Europe/Berlin or America/New_York.", name), err)
	}
	return nil
}

// String writes w in the form that ParseWindow reads.
func (w Window) String() string {
	var days []string
	for i := 0; i < len(weekdays); i++ {
		if !slices.Contains(w.Days, weekdays[i].day) {
			continue
		}
		last := i
		for last+1 < len(weekdays) && slices.Contains(w.Days, weekdays[last+1].day) {
			last++
		}
		switch last - i {
		case 0:
			days = append(days, weekdays[i].short)
		case 1:
			days = append(days, weekdays[i].short, weekdays[last].short)
		default:
			days = append(days, weekdays[i].short+"-"+weekdays[last].short)
		}
		i = last
	}
	text := fmt.Sprintf("%02d:%02d-%02d:%02d %s", w.From/60, w.From%60, w.To/60, w.To%60, w.Zone)
	if len(days) == 0 || len(w.Days) == 0 {
		return text
	}
	return strings.Join(days, ",") + " " + text
}

package policy

// killed are the kill switches that are on, ready to be asked. The zero value
// is none.
type killed struct {
	all *Kill
	of  map[string]*Kill // by connector type or configured name
}

func compileKills(kills []Kill) killed {
	var k killed
	for _, kill := range kills {
		if kill.Reason == "" {
			kill.Reason = "The kill switch is on."
			if kill.Connector != "" {
				kill.Reason = "The kill switch is on for connector " + kill.Connector + "."
			}
		}
		switch {
		case kill.Connector != "":
			if k.of == nil {
				k.of = map[string]*Kill{}
			}
			if was := k.of[kill.Connector]; was == nil || kill.ID < was.ID {
				k.of[kill.Connector] = &kill
			}
		case k.all == nil || kill.ID < k.all.ID:
			k.all = &kill
		}
	}
	return k
}

// find returns the kill switch that stops a connector, or nil. The one that
// stops everything is named first.
func (k killed) find(name, typ string) *Kill {
	if k.all != nil || len(k.of) == 0 {
		return k.all
	}
	if kill := k.of[name]; kill != nil {
		return kill
	}
	return k.of[typ]
}

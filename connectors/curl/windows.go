package curl

import "strings"

// forWindows reports whether text is a command for cmd.exe, as browsers write
// them under "Copy as cURL (cmd)".
func forWindows(text string) bool {
	first, rest, _ := strings.Cut(text, " ")
	if strings.EqualFold(first, "curl.exe") || strings.HasPrefix(strings.TrimLeft(rest, " "), `^"`) {
		return true
	}
	before, _, found := strings.Cut(strings.ReplaceAll(text, "\r\n", "\n"), "^\n")
	return found && !strings.ContainsAny(before, "'") && !strings.Contains(before, "\\\n")
}

// windowsWords cuts a command as cmd.exe and the C runtime after it do.
func windowsWords(text string) ([]string, error) { return arguments(uncaret(text)) }

// uncaret does what cmd.exe does: outside quotes a caret takes the meaning
// from what follows it, also from a line's end.
func uncaret(text string) string {
	var b strings.Builder
	quoted := false
	for i := 0; i < len(text); {
		if n := newline(text[i:]); n > 0 { // where the command ends; browsers do not write that
			if strings.TrimSpace(text[i:]) == "" {
				break
			}
			b.WriteByte(' ')
			i += n
			continue
		}
		c := text[i]
		i++
		if c == '"' {
			quoted = !quoted
		}
		if c != '^' || quoted {
			b.WriteByte(c)
			continue
		}
		if n := newline(text[i:]); n > 0 {
			i += n
			if n = newline(text[i:]); n > 0 { // the end of a line that has lost its meaning
				b.WriteByte('\n')
				i += n
			}
			continue
		}
		if i < len(text) {
			b.WriteByte(text[i])
			i++
		}
	}
	return b.String()
}

// arguments cuts a command line as C programs on Windows do: backslashes mean
// something only before a quote.
func arguments(line string) ([]string, error) {
	var all []string
	var b strings.Builder
	inside, quoted := false, false
	for i := 0; i < len(line); i++ {
		slashes := 0
		for i < len(line) && line[i] == '\\' {
			slashes++
			i++
		}
		if i < len(line) && line[i] == '"' {
			b.WriteString(strings.Repeat(`\`, slashes/2))
			inside = true
			switch {
			case slashes%2 == 1:
				b.WriteByte('"')
			case quoted && strings.HasPrefix(line[i+1:], `"`):
				b.WriteByte('"')
				i++
			default:
				quoted = !quoted
			}
			continue
		}
		b.WriteString(strings.Repeat(`\`, slashes))
		inside = inside || slashes > 0
		if i == len(line) {
			break
		}
		if c := line[i]; quoted || c != ' ' && c != '\t' {
			b.WriteByte(c)
			inside = true
		} else if inside {
			all = append(all, b.String())
			b.Reset()
			inside = false
		}
	}
	if quoted {
		return nil, open()
	}
	if inside {
		all = append(all, b.String())
	}
	return all, nil
}

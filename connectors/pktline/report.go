package pktline

import (
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxSentence leaves a line of a report well below what any git reads.
const maxSentence = 1000

// maxBand is what fits into a packet of the side band beside its number.
const maxBand = maxPacket - 5

// Report returns the body of an application/x-git-receive-pack-result that
// rejects every ref of push, so that git prints the sentence for each and
// fails. With sideBand the sentence also comes as a message of the remote, to
// clients that asked for the side band.
//
// It is nil where the client did not ask for a report: it would not read one.
func Report(push Push, sentence string, sideBand bool) []byte {
	asked := func(capability string) bool { return slices.Contains(push.Capabilities, capability) }
	if !asked("report-status") && !asked("report-status-v2") {
		return nil
	}
	sentence = oneLine(sentence)
	report := appendPacket(nil, "unpack ok\n")
	for _, c := range push.Commands {
		report = appendPacket(report, "ng ", c.Ref, " ", sentence, "\n")
	}
	report = append(report, "0000"...)
	if !asked("side-band-64k") {
		return report
	}
	var b []byte
	if sideBand {
		b = appendPacket(b, "\x02", sentence, "\n")
	}
	for chunk := range slices.Chunk(report, maxBand) {
		b = appendPacket(b, "\x01", string(chunk))
	}
	return append(b, "0000"...)
}

// Refusal returns an answer that makes git stop with "remote error" and the
// sentence, in place of any that begins with a packet.
func Refusal(sentence string) []byte { return appendPacket(nil, "ERR ", oneLine(sentence), "\n") }

// oneLine makes s fit for a line that a terminal shows: what controls one, or
// is no text, becomes a space.
func oneLine(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == utf8.RuneError {
			return ' '
		}
		return r
	}, s)
	if len(s) > maxSentence {
		s = strings.ToValidUTF8(s[:maxSentence], "") // no half rune at the end
	}
	return strings.TrimSpace(s)
}

// Package strict refuses HTTP requests that two parsers could read differently.
//
// It looks at the raw bytes of a request head before net/http does, because
// net/http repairs what it can: it joins folded lines, accepts bare line
// feeds, and picks one of two contradicting lengths. A gateway that decides
// about the repaired request, and forwards to a server that repairs it another
// way, has decided about something else. So nothing is repaired here: what is
// ambiguous is refused, and the connection with it.
//
// What passes means the same to net/http; a fuzz test holds the two against
// each other.
package strict

import (
	"net/http"
	"strconv"
)

// Error is the refusal of one request. The connection it came on must be
// closed after the answer, since nobody can say where the next request begins.
type Error struct {
	Status int    // the HTTP status to answer with
	Rule   string // which check refused, for records and metrics
	Reason string // a sentence for whoever sent the request; never their bytes
}

func (e *Error) Error() string {
	return "strict: " + e.Rule + " (" + strconv.Itoa(e.Status) + "): " + e.Reason
}

// Limits bounds what one request may make us hold. A zero field means its
// default.
type Limits struct {
	Head    int // bytes of the whole head; 64 KiB
	Target  int // bytes of the request target; 16 KiB
	Headers int // header lines; 200
}

func (l Limits) withDefaults() Limits {
	if l.Head <= 0 {
		l.Head = 64 << 10
	}
	if l.Target <= 0 {
		l.Target = 16 << 10
	}
	if l.Headers <= 0 {
		l.Headers = 200
	}
	return l
}

func bad(rule, reason string) *Error {
	return &Error{Status: http.StatusBadRequest, Rule: rule, Reason: reason}
}

// The refusals. They are values, so that refusing a flood costs no memory.
var (
	errBareLF       = bad("bare_lf", "A line of the request does not end in CR LF.")
	errBareCR       = bad("bare_cr", "The request has a carriage return inside a line.")
	errControl      = bad("control_byte", "The request has a control byte in its head.")
	errRequestLine  = bad("request_line", "The request line is not method, target and version with one space between each.")
	errMethod       = bad("method", "The method is not an upper-case word.")
	errTarget       = bad("target", "The request target has a form that its method does not allow.")
	errTargetByte   = bad("target_byte", "The request target has a byte that must be percent-encoded.")
	errEscape       = bad("target_escape", "The request target has a broken percent-encoding.")
	errFragment     = bad("fragment", "The request target has a fragment, which belongs to the client alone.")
	errScheme       = bad("scheme", "The request target is neither http nor https.")
	errFold         = bad("obs_fold", "A header is folded over two lines.")
	errFieldLine    = bad("field_line", "A header line has no colon.")
	errFieldName    = bad("field_name", "A header name is empty or has a byte that names cannot have.")
	errLookAlike    = bad("look_alike", "A header name imitates Host, Content-Length or Transfer-Encoding.")
	errHostMissing  = bad("host_missing", "The request has no Host header.")
	errHostTwice    = bad("host_twice", "The request has more than one Host header.")
	errHost         = bad("host", "The Host header is not a plain host with an optional port.")
	errLength       = bad("content_length", "The Content-Length header is not a plain number.")
	errLengthTwice  = bad("content_length_twice", "The request has more than one Content-Length header.")
	errBothLengths  = bad("length_and_encoding", "The request has both Content-Length and Transfer-Encoding.")
	errEncoding     = bad("transfer_encoding", "The Transfer-Encoding header is misspelt.")
	errEncodingOld  = bad("transfer_encoding_1_0", "Transfer-Encoding does not exist in HTTP/1.0.")
	errExpect       = bad("expect", "The Expect header is not 100-continue.")
	errConnection   = bad("connection", "The Connection header is not a list of names, or names a header that must not be dropped.")
	errUpgrade      = bad("upgrade", "The request asks for a protocol that this gateway does not switch to.")
	errUpgradeBody  = bad("upgrade_body", "A request to switch protocols cannot have a body.")
	errConnectBody  = bad("connect_body", "A CONNECT request cannot have a body.")
	errTrailer      = bad("trailer", "The request announces or sends a trailer that is not allowed.")
	errTrailerBig   = bad("trailer_size", "The trailers of the request are too large.")
	errChunk        = bad("chunk", "The body of the request is not framed as it says.")
	errChunkExtra   = bad("chunk_extension", "The body of the request has chunk extensions that are too long or misspelt.")
	errParse        = bad("parse", "The request cannot be parsed.")
	errH2Field      = bad("h2_field", "The request has a header that HTTP/2 forbids.")
	errH2Space      = bad("h2_space", "A header begins or ends with white space, which HTTP/2 forbids: perhaps a variable that it is made of is empty.")
	errH2Length     = bad("h2_length", "The Content-Length header contradicts the request.")
	errEncodingKind = &Error{http.StatusNotImplemented, "transfer_encoding_kind", "The only Transfer-Encoding that this gateway knows is chunked."}
	errMethodLong   = &Error{http.StatusNotImplemented, "method_long", "The method is longer than any that exists."}
	errVersion      = &Error{http.StatusHTTPVersionNotSupported, "version", "The gateway speaks HTTP/1.0 and HTTP/1.1 here."}
	errTargetLong   = &Error{http.StatusRequestURITooLong, "target_long", "The request target is too long."}
	errHeadLarge    = &Error{http.StatusRequestHeaderFieldsTooLarge, "head_large", "The head of the request is too large."}
	errManyHeaders  = &Error{http.StatusRequestHeaderFieldsTooLarge, "many_headers", "The request has too many headers."}
	errAuthority    = &Error{http.StatusMisdirectedRequest, "authority", "The request names one host in its target and another in its Host header."}
)

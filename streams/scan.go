package streams

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/bits"
	"unicode/utf16"
	"unicode/utf8"
)

// maxDepth bounds how deep JSON may nest, so that a hostile document cannot exhaust the stack.
const maxDepth = 1000

var (
	errTruncated = errors.New("JSON ends early")
	errDepth     = fmt.Errorf("JSON nests deeper than %d", maxDepth)
)

// scanner walks JSON (RFC 8259) and checks it as strictly as encoding/json, without building values.
type scanner struct {
	b []byte
	i int
}

// unexpected says what stands at the scanner's position where the grammar wants something else.
func (s *scanner) unexpected(want string) error {
	if s.i >= len(s.b) {
		return errTruncated
	}
	return fmt.Errorf("JSON: %q at byte %d where %s is expected", s.b[s.i], s.i, want)
}

func (s *scanner) space() {
	for s.i < len(s.b) {
		switch s.b[s.i] {
		case ' ', '\t', '\n', '\r':
			s.i++
		default:
			return
		}
	}
}

// document checks that b is exactly one JSON value.
func (s *scanner) document() error {
	s.space()
	if err := s.value(0); err != nil {
		return err
	}
	return s.end()
}

// end checks that only space is left.
func (s *scanner) end() error {
	if s.space(); s.i < len(s.b) {
		return s.unexpected("the end")
	}
	return nil
}

// value walks over one value that begins at the scanner's position.
func (s *scanner) value(depth int) error {
	if s.i >= len(s.b) {
		return errTruncated
	}
	if depth > maxDepth {
		return errDepth
	}
	switch c := s.b[s.i]; {
	case c == '"':
		_, _, err := s.text()
		return err
	case c == '{':
		return s.object(depth)
	case c == '[':
		return s.array(depth)
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	}
	return s.unexpected("a value")
}

func (s *scanner) object(depth int) error {
	s.i++ // {
	s.space()
	if s.take('}') {
		return nil
	}
	for {
		if s.i >= len(s.b) || s.b[s.i] != '"' {
			return s.unexpected("a name")
		}
		if _, _, err := s.text(); err != nil {
			return err
		}
		if err := s.colon(); err != nil {
			return err
		}
		if err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		if s.take('}') {
			return nil
		}
		if !s.take(',') {
			return s.unexpected("a comma or brace")
		}
		s.space()
	}
}

func (s *scanner) array(depth int) error {
	s.i++ // [
	s.space()
	if s.take(']') {
		return nil
	}
	for {
		if err := s.value(depth + 1); err != nil {
			return err
		}
		s.space()
		if s.take(']') {
			return nil
		}
		if !s.take(',') {
			return s.unexpected("a comma or bracket")
		}
		s.space()
	}
}

// take steps over c where it stands next.
func (s *scanner) take(c byte) bool {
	if s.i < len(s.b) && s.b[s.i] == c {
		s.i++
		return true
	}
	return false
}

// colon walks over the colon after a name and the space around it.
func (s *scanner) colon() error {
	s.space()
	if !s.take(':') {
		return s.unexpected("a colon")
	}
	s.space()
	return nil
}

func (s *scanner) literal(word string) error {
	for j := range len(word) {
		if s.i >= len(s.b) || s.b[s.i] != word[j] {
			return s.unexpected(word)
		}
		s.i++
	}
	return nil
}

func (s *scanner) number() error {
	s.take('-')
	if !s.take('0') && !s.digits() {
		return s.unexpected("a digit")
	}
	if s.take('.') && !s.digits() {
		return s.unexpected("a digit")
	}
	if s.take('e') || s.take('E') {
		if !s.take('+') {
			s.take('-')
		}
		if !s.digits() {
			return s.unexpected("a digit")
		}
	}
	return nil
}

// digits walks over at least one digit.
func (s *scanner) digits() bool {
	from := s.i
	for s.i < len(s.b) && s.b[s.i] >= '0' && s.b[s.i] <= '9' {
		s.i++
	}
	return s.i > from
}

// plainByte marks the bytes that stand for themselves inside a JSON string.
var plainByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= ' ' && c != '"' && c != '\\'
	}
	return t
}()

// plainBytes is how many of the eight bytes, the lowest first, are marked in plainByte before the first that is not.
func plainBytes(w uint64) int {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	quote, back := w^(ones*'"'), w^(ones*'\\')
	// A byte's high bit is set where the byte is zero, or for the last below a space; a borrow can set higher ones too,
	// never lower ones.
	found := ((quote-ones)&^quote | (back-ones)&^back | (w-ones*' ')&^w) & highs
	return bits.TrailingZeros64(found) / 8 // 64 for none
}

// text walks over a string and returns what stands between its quotes, and whether that holds escapes.
func (s *scanner) text() (inner []byte, escaped bool, err error) {
	b, i := s.b, s.i+1
	from := i
	for {
		for i+8 <= len(b) {
			if n := plainBytes(binary.LittleEndian.Uint64(b[i:])); n < 8 {
				i += n
				break
			}
			i += 8
		}
		for i < len(b) && plainByte[b[i]] {
			i++
		}
		s.i = i
		if i >= len(b) {
			return nil, false, errTruncated
		}
		switch b[i] {
		case '"':
			s.i++
			return b[from:i], escaped, nil
		case '\\':
			escaped = true
			if i+1 >= len(b) {
				s.i = len(b)
				return nil, false, errTruncated
			}
			switch b[i+1] {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
				i += 2
			case 'u':
				if _, ok := hex4(b[i+2:]); !ok {
					return nil, false, s.unexpected("a valid escape")
				}
				i += 6
			default:
				return nil, false, s.unexpected("a valid escape")
			}
		default:
			return nil, false, s.unexpected("text without control characters")
		}
	}
}

// hex4 reads the four hex digits of a \u escape.
func hex4(b []byte) (rune, bool) {
	if len(b) < 4 {
		return 0, false
	}
	var r rune
	for _, c := range b[:4] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c >= 'a' && c <= 'f':
			c -= 'a' - 10
		case c >= 'A' && c <= 'F':
			c -= 'A' - 10
		default:
			return 0, false
		}
		r = r<<4 | rune(c)
	}
	return r, true
}

// unescape resolves the escapes of a string that text has walked over. A lone surrogate becomes U+FFFD.
func unescape(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for i := 0; i < len(b); {
		if b[i] != '\\' {
			out = append(out, b[i])
			i++
			continue
		}
		switch c := b[i+1]; c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			r, _ := hex4(b[i+2:])
			i += 6
			if utf16.IsSurrogate(r) {
				low := rune(-1)
				if i+1 < len(b) && b[i] == '\\' && b[i+1] == 'u' {
					low, _ = hex4(b[i+2:])
				}
				if r = utf16.DecodeRune(r, low); r != utf8.RuneError {
					i += 6
				}
			}
			out = utf8.AppendRune(out, r)
			continue
		default:
			out = append(out, c)
		}
		i += 2
	}
	return out
}

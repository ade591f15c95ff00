package streams

import "strings"

// Sizes of an arena's chunks: so small that an entry that is kept does not keep much else alive.
const (
	stringChunk = 4 << 10
	byteChunk   = 16 << 10
	maxShared   = 4096 // distinct shared strings
	maxInterned = 128  // bytes of a shared string
)

// arena makes the strings and byte slices of entries with few allocations: values that many events have in common are
// made once, others are cut from chunks. No two results overlap in a way that a writer could see. It is a texts.
type arena struct {
	known map[string]string
	text  strings.Builder
	bytes []byte
}

func (a *arena) shared(b []byte) string {
	if s, ok := a.known[string(b)]; ok {
		return s
	}
	if len(b) > maxInterned {
		return string(b)
	}
	if a.known == nil || len(a.known) >= maxShared {
		a.known = make(map[string]string) // hostile variety starts it anew
	}
	s := string(b)
	a.known[s] = s
	return s
}

func (a *arena) own(b []byte) string {
	if len(b) > stringChunk/4 {
		return string(b)
	}
	if a.text.Cap()-a.text.Len() < len(b) {
		a.text = strings.Builder{}
		a.text.Grow(stringChunk)
	}
	from := a.text.Len()
	a.text.Write(b)
	return a.text.String()[from:]
}

// copy returns a copy of b that is never nil and cannot be appended to in place.
func (a *arena) copy(b []byte) []byte {
	if len(b) > byteChunk/4 {
		return append(make([]byte, 0, len(b)), b...)
	}
	if a.bytes == nil || cap(a.bytes)-len(a.bytes) < len(b) {
		a.bytes = make([]byte, 0, byteChunk)
	}
	from := len(a.bytes)
	a.bytes = append(a.bytes, b...)
	return a.bytes[from:len(a.bytes):len(a.bytes)]
}

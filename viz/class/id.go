package class

import (
	"crypto/rand"
	"strings"
	"unicode"
)

const (
	letters  = "abcdefghjkmnpqrstuvwxyz23456789" // none that looks like another
	idLength = 8
)

// newIDAndKey makes a short id that can be read out and typed, and a key that cannot be guessed.
func newIDAndKey() (id, key string) {
	const fair = 256 - 256%len(letters) // bytes above would make some letters likelier
	b := make([]byte, 1)
	for len(id) < idLength {
		_, _ = rand.Read(b) // never fails
		if n := int(b[0]); n < fair {
			id += letters[n%len(letters) : n%len(letters)+1]
		}
	}
	return id, rand.Text()
}

func isID(id string) bool { return len(id) == idLength && strings.Trim(id, letters) == "" }

func isKey(key string) bool {
	return len(key) >= 16 && len(key) <= 64 && !strings.ContainsFunc(key, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	})
}

func isName(who string) bool {
	return who != "" && len(who) <= MaxName && !strings.ContainsFunc(who, func(r rune) bool { return !unicode.IsPrint(r) || r == unicode.ReplacementChar })
}

package viz

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
)

// envAnswer is one variable of the environment that a node was started with.
type envAnswer struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// environed is a runtime that knows what its nodes were started with, as "NAME=value".
type environed interface {
	Environment(node string) []string
}

// environment is a node's, by name, without its secrets; empty where the runtime does not know it.
func (s *server) environment(node string) []envAnswer {
	all := []envAnswer{}
	r, ok := s.Runtime.(environed)
	if !ok {
		return all
	}
	for _, v := range r.Environment(node) {
		name, value, _ := strings.Cut(v, "=")
		all = append(all, envAnswer{name, masked(name, value)})
	}
	slices.SortStableFunc(all, func(a, b envAnswer) int { return cmp.Compare(a.Name, b.Name) })
	return all
}

const mask = "•••"

var (
	secretName = regexp.MustCompile(`(?i)token|passw|passphrase|secret|key|credential|headers`)
	parameter  = regexp.MustCompile(`(?i)\b(\w*(?:token|passw|passphrase|secret|key)\w*\s*=\s*)('[^']*'|[^\s&;,]+)`)
)

// masked is a value without what must stay secret: all of it where the name says so, else the passwords of the URLs in
// it and the values of parameters that are called so. An empty value stays: that none is set is no secret.
func masked(name, value string) string {
	if value == "" {
		return ""
	}
	if secretName.MatchString(name) {
		return mask
	}
	return parameter.ReplaceAllString(withoutPasswords(value), "${1}"+mask)
}

// withoutPasswords masks the passwords of all URLs in a text. One is taken to end at the last @ that it may, so that a
// password which should have been escaped is not told in part.
func withoutPasswords(text string) string {
	parts := strings.SplitAfter(text, "://")
	for i, part := range parts[1:] {
		url := part
		if end := strings.IndexAny(url, " \t\r\n"); end >= 0 {
			url = url[:end]
		}
		at := strings.LastIndexByte(url, '@')
		if at < 0 {
			continue
		}
		if colon := strings.IndexByte(url[:at], ':'); colon >= 0 {
			parts[i+1] = part[:colon+1] + mask + part[at:]
		}
	}
	return strings.Join(parts, "")
}

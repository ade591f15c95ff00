package web

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	"github.com/tdewolff/minify/v2"
	"github.com/tdewolff/minify/v2/js"
)

// minified is a file as it is sent. Scripts lose comments and indentation, and what a function keeps to itself gets short
// names; what modules export and import keeps its own. Style sheets are only closed up.
func minified(name string, b []byte) ([]byte, error) {
	switch path.Ext(name) {
	case ".js":
		var out bytes.Buffer
		if err := js.Minify(minify.New(), &out, bytes.NewReader(b), nil); err != nil {
			return nil, fmt.Errorf("minify %s: %w", name, err)
		}
		return out.Bytes(), nil
	case ".css":
		return closedUp(b), nil
	}
	return b, nil
}

// closedUp is a style sheet without comments, with one space for many and none where a rule, a declaration or a value begins
// or ends, without the last semicolon of a block and the zero before a decimal point. Strings and custom properties keep
// their text. No value is rewritten: a minifier's "flex: 1 1 0" is no longer what was meant.
func closedUp(css []byte) []byte {
	out := make([]byte, 0, len(css))
	custom := false // within the declaration of a custom property
	for i := 0; i < len(css); i++ {
		c := css[i]
		switch {
		case c == '"' || c == '\'':
			end := i + 1
			for ; end < len(css) && css[end] != c; end++ {
				if css[end] == '\\' {
					end++
				}
			}
			out = append(out, css[i:min(end+1, len(css))]...)
			i = end
			continue
		case c == '/' && i+1 < len(css) && css[i+1] == '*':
			n := bytes.Index(css[i+2:], []byte("*/"))
			if n < 0 {
				return out
			}
			i += n + 3
			c = ' '
		case c == '\n' || c == '\t' || c == '\r':
			c = ' '
		}
		last := byte('{')
		if len(out) > 0 {
			last = out[len(out)-1]
		}
		inner := " {};,"
		if !custom {
			inner += ":>" // a space before a colon stays: it is what tells "a :hover" from "a:hover"
		}
		if c == ' ' && strings.IndexByte(inner, last) >= 0 {
			continue
		}
		if last == ' ' && (strings.IndexByte("{};", c) >= 0 || c == '>' && !custom) {
			out = out[:len(out)-1]
			last = out[len(out)-1]
		}
		switch {
		case strings.IndexByte("{};", c) >= 0:
			custom = false
			if c == '}' && last == ';' {
				out = out[:len(out)-1]
			}
		case c == '-' && strings.IndexByte("{};", last) >= 0:
			custom = bytes.HasPrefix(css[i:], []byte("--"))
		case c == '0' && !custom && bare(css, i) && begins(out):
			continue
		}
		out = append(out, c)
	}
	return out
}

// bare says whether the zero at i is all that stands before a decimal point and its digits.
func bare(css []byte, i int) bool {
	return i+2 < len(css) && css[i+1] == '.' && '0' <= css[i+2] && css[i+2] <= '9'
}

// begins says whether a number may begin after what was written, if not its sign.
func begins(out []byte) bool {
	if n := len(out); n > 0 && out[n-1] == '-' {
		out = out[:n-1]
	}
	return len(out) > 0 && strings.IndexByte(" :,(/", out[len(out)-1]) >= 0
}

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

// closedUp is a style sheet without comments, with one space for many and none where a rule or a declaration begins or
// ends. Nothing is rewritten: a minifier's "flex: 1 1 0" is no longer what was meant.
func closedUp(css []byte) []byte {
	out := make([]byte, 0, len(css))
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
		if c == ' ' && strings.IndexByte(" {};,", last) >= 0 {
			continue
		}
		if last == ' ' && strings.IndexByte("{};", c) >= 0 {
			out = out[:len(out)-1]
		}
		out = append(out, c)
	}
	return out
}

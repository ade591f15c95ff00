package traces

import (
	"fmt"
	"strings"
)

// reason says in a newcomer's words why a request to callee failed. A span carries no error but its text, so that is
// what has to be read: message is its status description, kind its error.type.
func reason(callee string, status int, message, kind string) string {
	low := strings.ToLower(message + " " + kind)
	has := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(low, w) {
				return true
			}
		}
		return false
	}
	if isSentence(message) {
		return message
	}
	switch {
	case status > 0:
		return fmt.Sprintf("%s answered %d", callee, status)
	case has("connection refused", "econnrefused"):
		return callee + " refused the connection"
	case has("deadline", "timeout", "timed out"):
		return callee + " did not answer in time"
	case has("eof", "connection reset", "broken pipe"):
		return callee + " broke the connection off"
	case has("canceled", "cancelled"):
		return "the caller gave up on " + callee
	case has("no such host"):
		return callee + " is not known by that name"
	}
	return callee + " did not answer"
}

// isSentence tells a service's own words from an error as a library prints it.
func isSentence(message string) bool {
	if !strings.Contains(message, " ") || strings.Contains(message, "://") {
		return false
	}
	for _, library := range []string{"dial tcp", "read tcp", "write tcp", "context deadline", "context canceled", "net/http:", "i/o timeout"} {
		if strings.Contains(message, library) {
			return false
		}
	}
	return true
}

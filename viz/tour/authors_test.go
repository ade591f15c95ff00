package tour

import (
	"os"
	"strings"
	"testing"
)

// TestAuthorsAreTold: CONTRIBUTING.md lists every form, as it is.
func TestAuthorsAreTold(t *testing.T) {
	b, err := os.ReadFile("../../CONTRIBUTING.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, form := range Forms() {
		if !strings.Contains(string(b), "    "+form+"\n") {
			t.Errorf("CONTRIBUTING.md does not tell of %q", form)
		}
	}
}

package tour_test

import (
	"os"
	"testing"

	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

// TestChaptersOfTheShop: the chapters that come with the project name only what its system file declares.
func TestChaptersOfTheShop(t *testing.T) {
	b, err := os.ReadFile("../../services/system.json")
	if err != nil {
		t.Fatal(err)
	}
	sys, err := world.ParseSystem(b)
	if err != nil {
		t.Fatal(err)
	}
	read, err := tour.Read(os.DirFS("../../services/chapters"), sys)
	if err != nil {
		t.Fatal(err)
	}
	if n := len(read.Chapters); n < 10 || n > 12 {
		t.Errorf("%d chapters; there are to be 10 to 12", n)
	}
	if len(read.Glossary) == 0 {
		t.Error("the glossary is empty")
	}
}

package shop

import (
	"fmt"
	"reflect"
	"regexp"
	"testing"
)

func TestProducts(t *testing.T) {
	list := Products()
	if len(list) != 24 {
		t.Fatalf("%d products, want 24", len(list))
	}
	names := map[string]bool{}
	for i, p := range list {
		if want := fmt.Sprintf("p-%02d", i+1); p.ID != want || p.Version != 1 {
			t.Errorf("product %d is %s version %d, want %s version 1", i, p.ID, p.Version, want)
		}
		if p.Name == "" || p.Category == "" || p.Description == "" || p.PriceCents < 100 || names[p.Name] {
			t.Errorf("incomplete or twice: %+v", p)
		}
		names[p.Name] = true
	}
	list[0].Name = "changed"
	if Products()[0].Name == "changed" {
		t.Error("callers share one list")
	}
}

func TestSeedUsers(t *testing.T) {
	list := SeedUsers()
	if len(list) != 200 {
		t.Fatalf("%d users, want 200", len(list))
	}
	address := regexp.MustCompile(`^[a-z]+\.[a-z]+@example\.com$`)
	seen := map[string]bool{}
	for i, u := range list {
		if want := fmt.Sprintf("u-%03d", i+1); u.ID != want || u.Version != 1 {
			t.Errorf("user %d is %s version %d, want %s version 1", i, u.ID, u.Version, want)
		}
		if !address.MatchString(u.Email) || seen[u.Name] || seen[u.Email] {
			t.Errorf("bad address or twice: %+v", u)
		}
		seen[u.Name], seen[u.Email] = true, true
	}
	if !reflect.DeepEqual(list, SeedUsers()) {
		t.Error("not the same list each time")
	}
}

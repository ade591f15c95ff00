//go:build containers

package main

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/stillup/stillup/services/shop"
)

// sameInAll: after all these kills, what the dashboard lists of users, products and orders stands in every store as its owner
// has it.
func sameInAll(t *testing.T, l *lab, _ *composed) {
	l.load(map[string]any{"per_second": 0})
	things := 0
	for _, kind := range []string{"users", "products", "orders"} {
		var found struct{ Records []struct{ ID string } }
		if _, err := l.call(http.MethodGet, "/api/v1/copies/"+kind+"?limit=50", nil, &found); err != nil {
			t.Fatal(err)
		}
		for _, r := range found.Records {
			things++
			deadline := time.Now().Add(30 * time.Second)
			for err := l.same(kind, r.ID); err != nil; err = l.same(kind, r.ID) {
				if time.Now().After(deadline) {
					t.Fatal(err)
				}
				<-time.After(100 * time.Millisecond)
			}
		}
	}
	t.Logf("%d things are the same in every store", things)
	if things < 100 {
		t.Errorf("only %d things were compared; the test shows little", things)
	}
}

// same checks that every copy of one thing is there and as its owner has it. Trending counts confirmed orders alone.
func (l *lab) same(kind, id string) error {
	all, err := l.copies(kind, id)
	if err != nil {
		return err
	}
	for _, c := range all {
		switch {
		case !c.Copy || c.Node == "trending-db" && kind == "orders" && all[0].field("status") != shop.Confirmed:
		case c.Why != "" || !c.Found || c.VersionsBehind != 0:
			return fmt.Errorf("%s %s in %s: found %v, %d versions behind %s", kind, id, c.Node, c.Found, c.VersionsBehind, c.Why)
		default:
			for _, f := range c.Fields {
				if f.Same == "differs" {
					return fmt.Errorf("%s %s in %s: %s is %q", kind, id, c.Node, f.Name, f.Value)
				}
			}
		}
	}
	return nil
}

package services

import (
	"context"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams/streamstest"
	"github.com/stillup/stillup/viz/copies"
	"github.com/stillup/stillup/viz/world"
)

// TestPlaces: of everything that a store holds the system file says where it stands, and there it stands: after an order
// every store has what it is said to have, as its owner has it, and counts it.
func TestPlaces(t *testing.T) {
	system, err := world.ParseSystem(System)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range system.Nodes {
		for _, h := range n.Holds {
			if h.At == nil {
				t.Errorf("of the %s in %s nobody says where they stand", h.Kind, n.ID)
			}
		}
	}
	urls, storeURLs := runStores(t, streamstest.Start(t).URL(), true)
	look := copies.New(copies.Options{System: system, URLs: storeURLs, Hidden: func(node string) bool { return strings.HasPrefix(node, "recommendations") }})
	defer look.Close()
	awaitThat(t, "an order is taken", func() bool {
		status := chassistest.Call(urls["orders"]+"/copies", http.MethodPost, "/orders", shop.NewOrder{ID: "o-1", UserID: "u-001", ProductID: "p-01", Quantity: 1}, nil)
		return status == http.StatusCreated || status == http.StatusOK
	})
	for _, c := range []struct {
		kind, id string
		holders  int // besides the monolith, which was sent nothing
		forms    string
	}{
		{"products", "p-01", 5, "document row hash document hash row"}, {"users", "u-001", 3, "row row document row"},
		{"products", "p-24", 5, "document row hash document hash row"}, {"users", "u-200", 3, "row row document row"},
		{"orders", "o-1", 3, "row document member row"}, {"stock", "p-01", 1, "hash row"},
	} {
		var wrong string
		awaitThat(t, "all stores have "+c.kind+" "+c.id, func() bool {
			thing, err := look.Read(t.Context(), c.kind, c.id)
			wrong, forms := "", ""
			if err != nil {
				wrong = err.Error()
			}
			for i, r := range thing.Records {
				forms += " " + r.Form
				switch {
				case r.Why != "":
					wrong = r.Why
				case i >= c.holders: // the monolith's
				case !r.Found:
					wrong = r.Node + " has it not"
				case r.VersionsBehind > 0:
					wrong = r.Node + " is behind"
				}
				for _, f := range r.Fields {
					if i < c.holders && f.Same == copies.Differs || i == 0 && f.Same != copies.Same || i > 0 && i < c.holders && f.Same == copies.Own && f.Name != "score" {
						wrong = r.Node + " has " + f.Name + " " + string(f.Same)
					}
				}
			}
			if forms != " "+c.forms {
				wrong = "forms" + forms
			}
			return wrong == ""
		})
		if wrong != "" {
			t.Errorf("%s %s: %s", c.kind, c.id, wrong)
		}
		found, _, err := look.Search(t.Context(), c.kind, c.id, 3)
		if err != nil || len(found) == 0 || found[0].ID != c.id {
			t.Errorf("search of %s %s: %+v, %v", c.kind, c.id, found, err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	seen := make(chan world.CopiesSeen, 100)
	done := make(chan error, 1)
	go func() {
		done <- look.Run(ctx, func(obs ...world.Observation) {
			select {
			case seen <- obs[0].(world.CopiesSeen):
			default: // enough was seen
			}
		})
	}()
	want := map[string]int64{"users-db users": 200, "orders-db users": 200, "purchases-db users": 200, "catalog-db products": 24, "orders-db products": 24,
		"stock-db products": 24, "purchases-db products": 24, "trending-db products": 24, "stock-db stock": 24, "orders-db orders": 1, "purchases-db orders": 1,
		"trending-db orders": 1, "monolith-db users": 200, "monolith-db products": 24, "monolith-db stock": 24, "monolith-db orders": 0}
	for range 7 {
		o := <-seen
		if o.Down != "" {
			t.Errorf("%s: %s", o.Node, o.Down)
		}
		for _, k := range o.Kinds {
			key := o.Node + " " + k.Kind
			if n, ok := want[key]; !ok || k.Count != n || k.Why != "" || k.Bytes <= 0 {
				t.Errorf("%s: %+v, want %d", key, k, n)
			}
			delete(want, key)
		}
	}
	cancel()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if len(want) > 0 {
		t.Errorf("not counted: %v", want)
	}
}

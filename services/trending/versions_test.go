package trending

import (
	"maps"
	"testing"

	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
	"github.com/stillup/stillup/streams/streamstest"
)

// TestBothVersions: products that are told of in version 1, in version 2, and in both leave the same copies, whichever
// comes first, and these are kept as they always were.
func TestBothVersions(t *testing.T) {
	bus := streamstest.Start(t)
	var events []streams.Event
	want := map[string]map[string]string{}
	for _, p := range []shop.Product{
		{ID: "p-1", Name: "Pot", PriceCents: 100, Version: 1},
		{ID: "p-1", Name: "Pot", PriceCents: 3491, Version: 2},
		{ID: "p-1", Name: "Big pot", PriceCents: 3491, Version: 3},
		{ID: "p-2", Name: "Lamp", PriceCents: 8900, Version: 1},
		{ID: "p-3", Name: "Pen", PriceCents: 1, Version: 1},
	} {
		if p.ID != "p-2" {
			events = append(events, chassistest.Event(t, shop.Catalog, shop.ProductChangedV2, p.ID, p.Version, p.V2()))
		}
		if p.ID != "p-3" {
			events = append(events, chassistest.Event(t, shop.Catalog, shop.ProductChanged, p.ID, p.Version, p))
		}
	}
	events = append(events, chassistest.Event(t, shop.Catalog, shop.ProductListedV2, "p-4", 1, shop.Product{Name: "Tin", PriceCents: 60}.V2()))
	want["p-1"] = map[string]string{"version": "3", "name": "Big pot", "price_cents": "3491"}
	want["p-2"] = map[string]string{"version": "1", "name": "Lamp", "price_cents": "8900"}
	want["p-3"] = map[string]string{"version": "1", "name": "Pen", "price_cents": "1"}
	want["p-4"] = map[string]string{"version": "1", "name": "Tin", "price_cents": "60"}
	chassistest.InAnyOrder(t, events, func(t *testing.T, events []streams.Event) {
		bus.Wipe()
		storeURL := storestest.Redis(t)
		start(t, storeURL, bus.URL(), nil)
		chassistest.Apply(t, bus.Client(), events)
		store, err := streams.Open(storeURL)
		if err != nil {
			t.Fatal(err)
		}
		defer store.Close()
		for id, fields := range want {
			if got := store.HGetAll(t.Context(), productKey+id).Val(); !maps.Equal(got, fields) {
				t.Errorf("%s is kept as %v, want %v", id, got, fields)
			}
		}
	})
}

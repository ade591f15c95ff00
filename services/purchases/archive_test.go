package purchases

import (
	"log/slog"
	"testing"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"

	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
)

// TestArchive: an archived order is gone from its page too, an empty page with it, and neither it nor an older one comes back,
// also not in a process that was started since.
func TestArchive(t *testing.T) {
	s, err := open(storestest.Mongo(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	order := func(id, user string, second int) shop.Order {
		return shop.Order{ID: id, UserID: user, ProductID: "p-1", Status: shop.Confirmed, PlacedAt: noon.Add(time.Duration(second) * time.Second), Version: 2}
	}
	first, second, older, third := order("o.1", "u-1", 1), order("o-2", "u-2", 2), order("o-0", "u-1", 0), order("o-3", "u-1", 3)
	copies := func(s *store, orders ...shop.Order) {
		t.Helper()
		for _, o := range orders {
			if err := s.copyOrder(t.Context(), o); err != nil {
				t.Fatal(err)
			}
		}
	}
	want := func(collection string, n int64) {
		t.Helper()
		if got, err := s.db.Collection(collection).CountDocuments(t.Context(), bson.D{}); err != nil || got != n {
			t.Errorf("%s: %d documents, %v, want %d", collection, got, err, n)
		}
	}
	copies(s, first, second)
	want(pagesCollection, 2)
	for range 2 {
		err := s.archive(t.Context(), shop.Archived{ID: first.ID, UserID: first.UserID, ProductID: first.ProductID, PlacedAt: first.PlacedAt})
		if err != nil {
			t.Fatal(err)
		}
	}
	want(ordersCollection, 1)
	want(pagesCollection, 1)
	copies(s, first, older)
	copies(&store{client: s.client, db: s.db, log: s.log}, first, older)
	want(ordersCollection, 1)
	want(pagesCollection, 1)
	copies(s, third)
	want(ordersCollection, 2)
	want(pagesCollection, 2)
}

package purchases

import (
	"log/slog"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
)

// TestAnyDelivery: however the events come, the read model is the same.
func TestAnyDelivery(t *testing.T) {
	s, err := open(storestest.Mongo(t), slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer s.close()
	chassistest.Reader{
		Start: func(testing.TB) chassis.Takes {
			return (&purchases{store: &store{client: s.client, db: s.db, log: s.log}}).takes() // a process knows nothing at first
		},
		Digest: s.copy().Digest,
		Wipe:   s.copy().Wipe,
		Last:   func(e streams.Event) bool { return e.Type == shop.UserRemoved },
	}.AnyDelivery(t, 6, chassistest.Orders(t, 24, 14), chassistest.Products(t), chassistest.Users(t, 12, 8))
}

package trending

import (
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/streams"
)

// TestAnyDelivery: however the events come, the ranking is the same.
func TestAnyDelivery(t *testing.T) {
	rdb, err := streams.Open(storestest.Redis(t))
	if err != nil {
		t.Fatal(err)
	}
	defer rdb.Close()
	c := rankingCopy{chassis.RedisMark{Client: rdb}, ranking{rdb}}
	chassistest.Reader{
		Start:  func(testing.TB) chassis.Takes { return (&trending{ranking: ranking{rdb}}).takes() },
		Digest: c.Digest,
		Wipe:   c.Wipe,
	}.AnyDelivery(t, 100, chassistest.Orders(t, 40, 25), chassistest.Products(t))
}

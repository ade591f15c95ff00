package stock

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/redis/go-redis/v9"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/outbox"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// Keys in stock's own Redis.
const (
	levelKey        = "level:"              // + product, HASH: level, reserved, delivered, version
	productKey      = "product:"            // + product, HASH: copy of a product
	reservationsKey = "reservations"        // HASH: order to "state|product|units|version|reservation as JSON"
	ordersKey       = "reservations:orders" // LIST: orders in reservationsKey, the oldest first
)

const (
	// seeded is how many units of each product are there at first; a delivery brings as many.
	seeded = shop.UnitsDelivered
	// low is the level below which a delivery comes, so that the traffic never runs the shop dry for long.
	low = shop.LowLevel
	// remembered is how many reservations are kept, the newest, so that an order that comes again is the same one.
	remembered = shop.KeptReservations
)

// storeTimeout bounds one use of the store, so that one that is there and silent is told to the caller within a second.
const storeTimeout = 900 * time.Millisecond

// States of a reservation; the other two are why it was refused.
const (
	reserved       = "reserved"
	soldOut        = "sold out"
	unknownProduct = "unknown product"
)

var (
	//go:embed reserve.lua
	reserveSource string
	//go:embed release.lua
	releaseSource string
	//go:embed deliver.lua
	deliverSource string
	//go:embed product.lua
	productSource string

	reserveScript = redis.NewScript(reserveSource)
	releaseScript = redis.NewScript(releaseSource)
	deliverScript = redis.NewScript(deliverSource)
	productScript = redis.NewScript(productSource)
)

// shelf is what there is of each product. A change and its event are one script, so one of them is never there alone.
type shelf struct{ rdb *redis.Client }

// event is an event of stock that has its version and its payload still to come.
func event(ctx context.Context, typ, subject string) streams.Event {
	return streams.Event{ID: uuid.NewString(), Source: shop.Stock, Type: typ, Subject: subject, Time: time.Now().UTC(),
		TraceParent: chassis.TraceParent(ctx)}
}

// beginning is the event's JSON without its last bracket, for a script to go on from with what only the script knows.
func beginning(e streams.Event) []byte {
	b := e.AppendJSON(nil)
	return b[:len(b)-1]
}

// reserve holds units for an order once, however often it is asked to, and returns how that went: reserved, soldOut or
// unknownProduct. It is true where that was decided now.
func (s shelf) reserve(ctx context.Context, r shop.Reservation) (state string, now bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	r.Reason = ""
	plain, err := json.Marshal(r)
	if err != nil {
		return "", false, fmt.Errorf("reserve for %s: %w", r.OrderID, err)
	}
	res, err := reserveScript.Run(ctx, s.rdb, []string{levelKey + r.ProductID, reservationsKey, ordersKey, outbox.RedisKey},
		r.OrderID, r.ProductID, r.Quantity, plain, remembered,
		beginning(event(ctx, shop.StockReserved, r.OrderID)), beginning(event(ctx, shop.StockRefused, r.OrderID)),
		low, seeded, beginning(event(ctx, shop.StockDelivered, r.ProductID))).Slice()
	if err != nil {
		return "", false, fmt.Errorf("reserve for %s: %w", r.OrderID, err)
	}
	state, _ = res[0].(string)
	decided, _ := res[1].(int64)
	return state, decided == 1, nil
}

// release gives back what is held for an order and reports whether anything was.
func (s shelf) release(ctx context.Context, order string) (bool, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	ok, err := releaseScript.Run(ctx, s.rdb, []string{reservationsKey, outbox.RedisKey}, order, levelKey,
		beginning(event(ctx, shop.StockReleased, order))).Bool()
	if err != nil {
		return false, fmt.Errorf("release what is held for %s: %w", order, err)
	}
	return ok, nil
}

// seed puts every product on the shelf that is not there yet.
func (s shelf) seed(ctx context.Context) error {
	for _, p := range shop.Products() {
		e := event(ctx, shop.StockDelivered, p.ID)
		e.Version = 1
		var err error
		if e.Data, err = json.Marshal(shop.Level{ProductID: p.ID, Level: seeded, Delivered: seeded}); err != nil {
			return fmt.Errorf("seed %s: %w", p.ID, err)
		}
		if err := deliverScript.Run(ctx, s.rdb, []string{levelKey + p.ID, outbox.RedisKey}, seeded, e.AppendJSON(nil)).Err(); err != nil {
			return fmt.Errorf("seed %s: %w", p.ID, err)
		}
	}
	return nil
}

// level reads one product's; a *chassis.Problem 404 where there is none.
func (s shelf) level(ctx context.Context, product string) (shop.Level, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	v := shop.Level{ProductID: product}
	var units, name *redis.SliceCmd
	_, err := s.rdb.TxPipelined(ctx, func(p redis.Pipeliner) error {
		units = p.HMGet(ctx, levelKey+product, "level", "reserved", "delivered")
		name = p.HMGet(ctx, productKey+product, "name")
		return nil
	})
	if err != nil {
		return v, fmt.Errorf("read the stock of %s: %w", product, err)
	}
	for i, to := range []*int64{&v.Level, &v.Reserved, &v.Delivered} {
		text, ok := units.Val()[i].(string)
		if !ok {
			return v, chassis.Errorf(http.StatusNotFound, "%s %q", unknownProduct, product)
		}
		n, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return v, fmt.Errorf("read the stock of %s: %w", product, err)
		}
		*to = n
	}
	v.ProductName, _ = name.Val()[0].(string) // nil where the product is not known yet
	return v, nil
}

// rename keeps a copy of the product unless a newer one is there.
func (s shelf) rename(ctx context.Context, p shop.ProductV2) error {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	kept, err := productScript.Run(ctx, s.rdb, []string{productKey + p.ID},
		"version", p.Version, "name", p.Title, "price_cents", p.PriceCents()).Int64()
	if err != nil {
		return fmt.Errorf("copy product %s: %w", p.ID, err)
	}
	if kept <= 0 {
		chassis.SkipVersion(ctx, -kept)
	}
	return nil
}

// errUnready is why nothing can be reserved before the seed is on the shelf.
var errUnready = errors.New("the shelf is not filled yet")

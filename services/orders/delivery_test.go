package orders

import (
	"context"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
	"github.com/stillup/stillup/services/shop"
	"github.com/stillup/stillup/streams"
)

// TestAnyDelivery: however the events come, the copies of users and products are the same, and so are the orders that stock's
// answers settle, each once.
func TestAnyDelivery(t *testing.T) {
	s := newStore(t, shop.KeptOrders)
	var answers []streams.Event
	for _, e := range chassistest.Orders(t, 20, 20) {
		typ := map[string]string{shop.OrderConfirmed: shop.StockReserved, shop.OrderRefused: shop.StockRefused}[e.Type]
		if typ != "" {
			answers = append(answers, chassistest.Event(t, shop.Stock, typ, e.Subject, 1, shop.Reservation{OrderID: e.Subject, Reason: "sold out"}))
		}
	}
	tables := []string{"select * from users", "select * from products", "select id, status, reason, version from orders",
		"select event::json ->> 'type', event::json ->> 'subject' from outbox"}
	chassistest.Reader{
		Start: func(testing.TB) chassis.Takes { return (&orders{store: s}).takes() },
		Digest: func(ctx context.Context) (*chassis.Digest, error) {
			d := &chassis.Digest{}
			for _, sql := range tables {
				rows, err := s.pool.Query(ctx, sql)
				if err != nil {
					return nil, err
				}
				for rows.Next() {
					values, err := rows.Values()
					if err != nil {
						return nil, err
					}
					if err := d.Add(sql, values); err != nil {
						return nil, err
					}
				}
				if rows.Err() != nil {
					return nil, rows.Err()
				}
			}
			return d, nil
		},
		Wipe: func(ctx context.Context) error {
			_, err := s.pool.Exec(ctx, "truncate users, products, orders, outbox")
			if err != nil {
				return err
			}
			_, err = s.pool.Exec(ctx, "insert into orders ("+columns+") select 'o-' || to_char(n, 'FM000'), 'u-1', 'p-1', 'as ordered', 1, 1, "+
				"'placed', '', now(), 1 from generate_series(0, 17) n")
			return err
		},
		Last: func(e streams.Event) bool { return e.Type == shop.UserRemoved },
	}.AnyDelivery(t, 40, answers, chassistest.Products(t), chassistest.Users(t, 20, 12))
}

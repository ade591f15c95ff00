package purchases

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"github.com/stillup/stillup/services/shop"
)

// A user's page is cut to the newest keepListed orders, refused ones among them, once it has maxListed. It has to hold
// shop.PurchasesShown that are not refused.
const keepListed, maxListed = 3 * shop.PurchasesShown, 4 * shop.PurchasesShown

// page is a user's newest orders, each in its highest version, all in one document so that an answer is one look-up. An order
// is one string, a line, and not a document within it: to list an order on a full page of documents costs the embedded engine
// 35 ms of CPU, on one of lines 6 ms (BenchmarkList).
type page struct {
	ID     string            `bson:"_id"` // the user's
	Orders map[string]string `bson:"orders"`
}

// listed is what a line says of an order beside its version; its id and its user's are those of field and page.
type listed struct {
	ProductID   string    `json:"product_id"`
	ProductName string    `json:"product_name"`
	PriceCents  int64     `json:"price_cents"`
	Quantity    int64     `json:"quantity"`
	Status      string    `json:"status"`
	Reason      string    `json:"reason,omitempty"`
	PlacedAt    time.Time `json:"placed_at"`
}

// lineOf is the order as its page keeps it: the version in digits enough for every one, so that of two lines the greater
// string is the higher version, and the rest as JSON.
func lineOf(o shop.Order) (string, error) {
	rest, err := json.Marshal(listed{o.ProductID, o.ProductName, o.PriceCents, o.Quantity, o.Status, o.Reason, o.PlacedAt.UTC()})
	return fmt.Sprintf("%019d %s", o.Version, rest), err
}

// order reads the line of an order of the page.
func (p page) order(name, line string) (shop.Order, error) {
	var l listed
	digits, rest, _ := strings.Cut(line, " ")
	version, err := strconv.ParseInt(digits, 10, 64)
	if err == nil {
		err = json.Unmarshal([]byte(rest), &l)
	}
	if err != nil {
		return shop.Order{}, fmt.Errorf("line %q of the page of %s: %w", line, p.ID, err)
	}
	return shop.Order{ID: unfield.Replace(name), UserID: p.ID, ProductID: l.ProductID, ProductName: l.ProductName,
		PriceCents: l.PriceCents, Quantity: l.Quantity, Status: l.Status, Reason: l.Reason, PlacedAt: l.PlacedAt, Version: version}, nil
}

// field makes a name that MongoDB takes for a field out of any order id, and unfield the id out of it.
var (
	field   = strings.NewReplacer("%", "%25", ".", "%2E", "$", "%24")
	unfield = strings.NewReplacer("%25", "%", "%2E", ".", "%24", "$")
)

// list puts a version of the order on its user's page, unless a higher one is there. Redelivery changes nothing.
func (s *store) list(ctx context.Context, o shop.Order) error {
	line, err := lineOf(o)
	if err != nil {
		return fmt.Errorf("list order %s: %w", o.ID, err)
	}
	ctx, cancel := context.WithTimeout(ctx, applyTimeout)
	defer cancel()
	c, user := s.db.Collection(pagesCollection), bson.D{{Key: "_id", Value: o.UserID}}
	var p page
	err = c.FindOneAndUpdate(ctx, user, bson.D{{Key: "$max", Value: bson.D{{Key: "orders." + field.Replace(o.ID), Value: line}}}},
		options.FindOneAndUpdate().SetUpsert(true).SetReturnDocument(options.After)).Decode(&p)
	if err != nil {
		return fmt.Errorf("list order %s: %w", o.ID, err)
	}
	if len(p.Orders) < maxListed {
		return nil
	}
	all, err := p.newestFirst()
	if err != nil {
		return err
	}
	var old bson.D
	for _, o := range all[keepListed:] {
		old = append(old, bson.E{Key: "orders." + field.Replace(o.ID), Value: ""})
	}
	if _, err := c.UpdateOne(ctx, user, bson.D{{Key: "$unset", Value: old}}); err != nil {
		return fmt.Errorf("cut the page of %s: %w", o.UserID, err)
	}
	return nil
}

// newest are the n newest orders of the user that are not refused, newest first, ties as orders breaks them; never nil.
func (s *store) newest(ctx context.Context, user string, n int) ([]shop.Order, error) {
	ctx, cancel := context.WithTimeout(ctx, storeTimeout)
	defer cancel()
	orders := []shop.Order{}
	var p page
	err := s.db.Collection(pagesCollection).FindOne(ctx, bson.D{{Key: "_id", Value: user}}).Decode(&p)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return orders, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read the orders of %s: %w", user, err)
	}
	all, err := p.newestFirst()
	if err != nil {
		return nil, err
	}
	for _, o := range all {
		if o.Status != shop.Refused && len(orders) < n {
			orders = append(orders, o)
		}
	}
	return orders, nil
}

// newestFirst are the orders of the page.
func (p page) newestFirst() ([]shop.Order, error) {
	all := make([]shop.Order, 0, len(p.Orders))
	for name, line := range p.Orders {
		o, err := p.order(name, line)
		if err != nil {
			return nil, err
		}
		all = append(all, o)
	}
	slices.SortFunc(all, func(a, b shop.Order) int {
		return cmp.Or(b.PlacedAt.Compare(a.PlacedAt), cmp.Compare(b.ID, a.ID))
	})
	return all, nil
}

// Package shop holds the words that the shop's services share: events, requests and answers, and the seeded catalogue.
package shop

import "time"

// Event types of schema version 1. Each carries the full state of its subject (event-carried state transfer).
const (
	UserRegistered = "user.registered.v1" // User
	ProductListed  = "product.listed.v1"  // Product
	ProductChanged = "product.changed.v1" // Product
	StockDelivered = "stock.delivered.v1" // Level; subject: the product's id
	StockReserved  = "stock.reserved.v1"  // Reservation; subject: the order's id
	StockRefused   = "stock.refused.v1"   // Reservation with Reason; subject: the order's id
	StockReleased  = "stock.released.v1"  // Reservation; subject: the order's id
	OrderPlaced    = "order.placed.v1"    // Order
	OrderConfirmed = "order.confirmed.v1" // Order
	OrderRefused   = "order.refused.v1"   // Order with Reason
)

// Streams, named after the service that owns them.
const (
	Users   = "users"
	Catalog = "catalog"
	Stock   = "stock"
	Orders  = "orders"
)

// Streams of the pattern bus, which belong to nobody: what is on them is of use for seconds. Both sides name whom they
// ask by type: "catalog.requested.v1" is replied to by "catalog.answered.v1".
const (
	Requests = "requests" // a request to a service, which is its subject
	Replies  = "replies"  // a reply; subject: the request's id
)

// Order states.
const (
	Placed    = "placed"
	Confirmed = "confirmed"
	Refused   = "refused"
)

// User is a customer. Body of POST /{pattern}/users (ID optional there) and its answer.
type User struct {
	ID      string `json:"id" bson:"_id"`
	Name    string `json:"name" bson:"name"`
	Email   string `json:"email" bson:"email"`
	Version int64  `json:"version" bson:"version"`
}

// Product is something on sale.
type Product struct {
	ID          string `json:"id" bson:"_id"`
	Name        string `json:"name" bson:"name"`
	Category    string `json:"category" bson:"category"`
	Description string `json:"description" bson:"description"`
	PriceCents  int64  `json:"price_cents" bson:"price_cents"` // euro cents, VAT included
	Version     int64  `json:"version" bson:"version"`
}

// Level is the stock of one product. Level + Reserved == Delivered always holds.
type Level struct {
	ProductID   string `json:"product_id"`
	ProductName string `json:"product_name"` // from stock's own copy of the product; empty where not known yet
	Level       int64  `json:"level"`        // units that can be sold
	Reserved    int64  `json:"reserved"`     // units held by orders
	Delivered   int64  `json:"delivered"`    // units ever put on the shelf, the seed included
}

// Reservation is units of a product held for an order.
type Reservation struct {
	OrderID   string `json:"order_id"`
	ProductID string `json:"product_id"`
	Quantity  int64  `json:"quantity"`
	Reason    string `json:"reason,omitempty"` // why it was refused: "sold out" or "unknown product"
}

// Order is one user's wish for units of one product.
type Order struct {
	ID          string    `json:"id"`
	UserID      string    `json:"user_id"`
	ProductID   string    `json:"product_id"`
	ProductName string    `json:"product_name"` // when ordered
	PriceCents  int64     `json:"price_cents"`  // one unit's price when ordered
	Quantity    int64     `json:"quantity"`
	Status      string    `json:"status"`
	Reason      string    `json:"reason,omitempty"`
	PlacedAt    time.Time `json:"placed_at"` // UTC, milliseconds
	Version     int64     `json:"version"`
}

// NewOrder is the body of POST /{pattern}/orders.
type NewOrder struct {
	ID        string `json:"id,omitempty"` // chosen by the caller so that a retry is the same order; made where empty
	UserID    string `json:"user_id"`
	ProductID string `json:"product_id"`
	Quantity  int64  `json:"quantity"` // 1 to MaxQuantity
}

// Purchases is the answer of GET /{pattern}/purchases/{user}: the newest PurchasesShown orders that are not refused.
type Purchases struct {
	UserID    string  `json:"user_id"`
	UserName  string  `json:"user_name"`
	Purchases []Order `json:"purchases"` // newest first; ProductName is the product's name now
}

// Seller is one row of GET /{pattern}/top: a product and the confirmed orders it had.
type Seller struct {
	ProductID   string `json:"product_id"`
	ProductName string `json:"product_name"`
	Orders      int64  `json:"orders"` // confirmed orders
}

// TopSellers is the answer of GET /{pattern}/top, best first, ties by product id; SellersShown at most.
type TopSellers struct {
	Sellers []Seller `json:"sellers"`
}

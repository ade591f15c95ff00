package shop

import "time"

// How much the owners keep, so that days of traffic do not grow the shop without end. What is older goes, and every copy
// of it after it.
const (
	// KeptOrders is how many orders are kept, the newest. One that is not settled keeps those after it, up to as many again.
	KeptOrders = 50_000
	// KeptUsers is how many users are kept beside those that the shop begins with: those who signed up last.
	KeptUsers = 20_000
	// KeptReservations is how many reservations stock remembers, so that an order that comes again is the same one: those
	// of all orders that are kept, and of as many that were.
	KeptReservations = 2 * KeptOrders
)

// Event types of what an owner has dropped. They are the last of their subject, long after all others: a copy forgets the
// subject with them. What is told of an order once more after that is known by its age; a user of whom somebody sends a dead
// letter again after that is in the copy again, until its next rebuild.
const (
	UserRemoved   = "user.removed.v1"   // Removed
	OrderArchived = "order.archived.v1" // Archived
)

// Removed is the payload of what says no more than that its subject is gone.
type Removed struct {
	ID string `json:"id"`
}

// Archived is an order that its owner has dropped. Orders are archived in the order of PlacedAt: all that were placed then
// or before are archived too, or about to be.
type Archived struct {
	ID        string    `json:"id"`
	UserID    string    `json:"user_id"`
	ProductID string    `json:"product_id"`
	PlacedAt  time.Time `json:"placed_at"`
}

// Republished is the type of the event that ends on a stream what its owner has published again: the state, as it was
// then, of every subject that it has. It has no subject.
func Republished(stream string) string { return stream + ".republished.v1" }

// Subjects is the payload of [Republished].
type Subjects struct {
	Subjects int64 `json:"subjects"` // how many were published again
}

// Package streams is the event bus over Redis Streams: publish, consume, ask and answer, tap and inspect.
//
// Ordering: entries of one stream are totally ordered by their entry id; a consumer hands entries of one subject to its
// handler in that order. Delivery is at least once, so handlers are idempotent (compare [Event.Version]).
// Nothing here keeps state outside Redis: every type survives the bus being killed and started at any moment.
package streams

// Package outbox is the transactional outbox in three idioms (Postgres, MongoDB, Redis) and the one relay that moves
// events from an owner's store to the bus, at least once and in order per subject.
//
// The journal keeps what was published, with the bus's entry ids, so that a bus that was wiped or lost its tail is filled
// again from it.
package outbox

package chassis

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// OutboxPath takes GET of [Waiting], of services that own what they tell of.
const OutboxPath = "/outbox"

// Waiting is what a service has committed and not published yet. In normal work a record is that for some milliseconds.
type Waiting struct {
	Waiting int        `json:"waiting"` // events that were counted
	More    bool       `json:"more"`    // there are more than that
	Oldest  *time.Time `json:"oldest"`  // when the oldest of them happened, UTC; null for none
	// Republished is how many events were published once more because the bus had lost them, since the service started.
	Republished   int64      `json:"republished"`
	RepublishedAt *time.Time `json:"republished_at"` // when last, UTC; null for never
}

// Republished has OutboxPath tell how many events were published once more and when last. It is called before Run, once at
// most.
func (s *Service) Republished(count func() (n int64, at time.Time)) { s.republished = count }

// Outbox serves OutboxPath from count, which is given a second. An error of it means that the store does not answer: 503.
func (s *Service) Outbox(count func(ctx context.Context) (n int, more bool, oldest time.Time, err error)) {
	s.HandleAdmin("GET "+OutboxPath, func(w http.ResponseWriter, r *http.Request) error {
		ctx, cancel := context.WithTimeout(r.Context(), healthTimeout)
		defer cancel()
		n, more, oldest, err := count(ctx)
		if err != nil {
			return fmt.Errorf("%w: %w", Errorf(http.StatusServiceUnavailable, storeDown), err)
		}
		answer := Waiting{Waiting: n, More: more}
		if n > 0 {
			oldest = oldest.UTC().Truncate(time.Millisecond)
			answer.Oldest = &oldest
		}
		if s.republished != nil {
			var at time.Time
			if answer.Republished, at = s.republished(); !at.IsZero() {
				at = at.UTC().Truncate(time.Millisecond)
				answer.RepublishedAt = &at
			}
		}
		return WriteJSON(w, http.StatusOK, answer)
	})
}

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
}

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
		return WriteJSON(w, http.StatusOK, answer)
	})
}

package chassistest

import (
	"net/http"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
)

// Waiting asks the service at url what waits in its outbox. The status is 0 where there is no answer.
func Waiting(url string) (status int, w chassis.Waiting) {
	status = Get(url+chassis.OutboxPath, &w)
	return status, w
}

// WantWaiting wants n events, at least one, in the outbox of the service at url, the oldest no older than [Patience].
func WantWaiting(t testing.TB, url string, n int) {
	t.Helper()
	if status, w := Waiting(url); status != http.StatusOK || w.Waiting != n || w.Oldest == nil || time.Since(*w.Oldest) > Patience {
		t.Errorf("outbox: %d %+v, want %d waiting", status, w, n)
	}
}

// NoneWaiting waits until the outbox of the service at url is empty.
func NoneWaiting(t testing.TB, url string) {
	t.Helper()
	Eventually(t, "nothing waits", func() bool {
		status, w := Waiting(url)
		return status == http.StatusOK && w.Waiting == 0 && w.Oldest == nil
	})
}

package chassistest

import (
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/chassis"
)

// MissingStore is a way in which one of the stores that a service reaches into, in the pattern Shared, is missing.
type MissingStore struct {
	Others map[string]string // what to give the service as its OtherStores
	status int               // that the service then answers
	detail string
}

// MissingStores are, of a service and the stores that it reaches into, all ways in which one of them is missing: it is
// dead, it is silent, its address is not known.
func MissingStores(t testing.TB, service string, there map[string]string) []MissingStore {
	t.Helper()
	dead, silent := Unused(t), Silent(t)
	var all []MissingStore
	for _, node := range slices.Sorted(maps.Keys(there)) {
		scheme, _, _ := strings.Cut(there[node], "://")
		at := func(address string) map[string]string {
			others := maps.Clone(there)
			others[node] = scheme + "://" + address + "/0" // a database's name that each engine takes
			return others
		}
		none := maps.Clone(there)
		delete(none, node)
		all = append(all,
			MissingStore{at(dead), http.StatusBadGateway, node + " refused the connection"},
			MissingStore{at(silent), http.StatusGatewayTimeout, node + " did not answer within 0.9 s"},
			MissingStore{none, http.StatusServiceUnavailable,
				fmt.Sprintf("%s has no address of %s; give it one in STILLUP_OTHER_STORES", service, node)})
	}
	return all
}

// Check wants the service's answer to name the store that is missing, within about a second.
func (m MissingStore) Check(t testing.TB, status int, p chassis.Problem, took time.Duration) {
	t.Helper()
	if status != m.status || p.Detail != m.detail {
		t.Errorf("%d %q, want %d %q", status, p.Detail, m.status, m.detail)
	}
	if took > 1200*time.Millisecond {
		t.Errorf("%s: it took %v", m.detail, took)
	}
}

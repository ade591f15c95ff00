package shoppers

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/stillup/stillup/services/chassis"
	"github.com/stillup/stillup/services/chassis/chassistest"
)

// TestRun: the traffic begins by itself, is set over /load, and ends with the service.
func TestRun(t *testing.T) {
	p := newPeers(t, func(*http.Request) int { return http.StatusOK })
	url := chassistest.Start(t, chassis.Config{Name: "shoppers", Peers: p.addresses()}, Run)
	chassistest.Eventually(t, "the first requests", func() bool { return len(p.requests()) >= 4 })
	all := `"patterns":{"bus":1,"copies":1,"monolith":1,"shared":1,"sync":1},` +
		`"features":{"browse":1,"buy":1,"check-stock":1,"my-purchases":1,"sign-up":0.2,"top-sellers":0.5}`
	const asks = "nothing is set; send per_second (0 to 500 journeys), patterns (weights of 0 to 100 by id) or features (shares of 0 to 1 by id)"
	for _, tt := range []struct {
		method, body string
		status       int
		want         string // of the answer or the problem's detail
	}{
		{"GET", "", 200, `{"per_second":5,` + all},
		{"POST", `{"per_second":501}`, 400, "per_second is 501; it can be 0 to 500 journeys a second"},
		{"POST", `{"per_second":-0.5}`, 400, "per_second is -0.5; it can be 0 to 500 journeys a second"},
		{"POST", `{}`, 400, asks},
		{"POST", `{"per_second":null,"patterns":{},"features":null}`, 400, asks},
		{"POST", `{"per_second":9,"patterns":{"sink":1}}`, 400, `patterns: "sink" is not known; there are monolith, shared, sync, bus, copies`},
		{"POST", `{"per_second":9,"patterns":{"bus":0,"sync":-1}}`, 400, "patterns: sync is -1; it can be 0 to 100"},
		{"POST", `{"patterns":{"sync":100.5}}`, 400, "patterns: sync is 100.5; it can be 0 to 100"},
		{"POST", `{"patterns":{"sync":null}}`, 400, "patterns: sync has no number; it can be 0 to 100"},
		{"POST", `{"patterns":{"monolith":0,"shared":0,"sync":0,"bus":0,"copies":0}}`, 400,
			"patterns: all weights would be 0, and a journey needs a pattern; give one a weight, or set per_second to 0 to have no journeys"},
		{"POST", `{"patterns":{"bus":0},"features":{"buy":1.5}}`, 400, "features: buy is 1.5; it can be 0 to 1"},
		{"POST", `{"features":{"buys":1}}`, 400, `features: "buys" is not known; there are sign-up, browse, check-stock, buy, my-purchases, top-sellers`},
		{"POST", `{"per_second":9,"weights":{}}`, 400, `the body cannot be read: json: unknown field "weights"`},
		{"GET", "", 200, `{"per_second":5,` + all}, // none of these changed a thing
		{"POST", `{"per_second":0}`, 200, `{"per_second":0,` + all},
		{"POST", `{"patterns":{"bus":0,"sync":2.5},"features":{"buy":0}}`, 200,
			`{"per_second":0,"patterns":{"bus":0,"copies":1,"monolith":1,"shared":1,"sync":2.5},"features":{"browse":1,"buy":0,`},
		{"POST", `{"patterns":{"bus":1,"sync":1},"features":{"buy":1},"per_second":500}`, 200, `{"per_second":500,` + all},
		{"GET", "", 200, `{"per_second":500,` + all},
	} {
		var answer json.RawMessage
		status := chassistest.Call(url, tt.method, "/load", tt.body, &answer)
		got := string(answer)
		var problem chassis.Problem
		if status >= 400 && json.Unmarshal(answer, &problem) == nil {
			got = problem.Detail
		}
		if status != tt.status || !strings.HasPrefix(got, tt.want) || tt.status == 200 && !strings.Contains(got, `"dropped":`) {
			t.Errorf("%s %s: %d %s, want %d %s", tt.method, tt.body, status, got, tt.status, tt.want)
		}
	}
	n := len(p.requests())
	chassistest.Eventually(t, "the traffic grows at once", func() bool { return len(p.requests()) > n+200 })
}

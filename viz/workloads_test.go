package viz

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/services/stores/storestest"
	"github.com/stillup/stillup/viz/world"
)

// TestWorkloadsAPI: a run is begun, told of and ends, one at a time; stores that cannot be measured say why without their
// addresses; who may only look is refused.
func TestWorkloadsAPI(t *testing.T) {
	sys := held
	sys.Workloads = map[string]string{"redis": "purchases-db", "postgres": "orders-db"}
	sys.Choices = []world.ChoiceSpec{{Service: "purchases", Why: "Counting is all it does."}}
	urls := map[string]string{"purchases-db": storestest.Redis(t), "orders-db": "postgres://shop:geheim@127.0.0.1:1/shop"}
	addr, _ := run(t, Options{System: sys, StoreURLs: urls, Runtime: newFake(), BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	a := &api{t: t, url: "http://" + addr}
	var got workloadsAnswer
	read := func(body []byte) {
		t.Helper()
		got = workloadsAnswer{}
		if err := json.Unmarshal(body, &got); err != nil {
			t.Fatal(err)
		}
	}
	read(a.expect(http.StatusAccepted, `"state":"running"`, "POST", "/api/v1/workloads", ""))
	a.expect(http.StatusConflict, "running already", "POST", "/api/v1/workloads", "")
	for end := time.Now().Add(30 * time.Second); got.State.State != "done"; {
		read(a.expect(http.StatusOK, `"results":[`, "GET", "/api/v1/workloads", ""))
		if time.Now().After(end) {
			t.Fatalf("it does not end: %+v", got)
		}
		<-time.After(10 * time.Millisecond)
	}
	if len(got.Results) != 9 || !got.Can || len(got.Choices) != 1 || got.Choices[0].Engine != "redis" || len(got.Workloads) != 3 {
		t.Errorf("%+v", got)
	}
	for _, r := range got.Results {
		if (r.Why == "") != (r.Engine == "redis") || strings.Contains(r.Why, "geheim") {
			t.Errorf("%+v", r)
		}
	}

	addr, _ = run(t, Options{System: sys, StoreURLs: urls, BusURL: "redis://127.0.0.1:1", Addr: "localhost:0"})
	a = &api{t: t, url: "http://" + addr}
	a.expect(http.StatusConflict, "look but not touch", "POST", "/api/v1/workloads", "")
	if read(a.expect(http.StatusOK, `"can":false`, "GET", "/api/v1/workloads", "")); got.Why == "" {
		t.Errorf("%+v", got)
	}
}

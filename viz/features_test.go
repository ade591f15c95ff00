package viz

import (
	"testing"
	"time"

	"github.com/stillup/stillup/viz/world"
)

// TestFeature: a cell says what its request is, and once one was seen whole, how it went hop by hop.
func TestFeature(t *testing.T) {
	a := serve(t, newFake(), "")
	untried := `{"feature":"buy","pattern":"sync","state":"untried","success":0,"tries":0,"p50_ms":0,"p99_ms":0,` +
		`"stale_ms":0,"last_error":"","because":[],"cost":null,"trace":""}`
	a.expect(200, `{"cells":[`+untried+`]}`, "GET", "/api/v1/features", "")
	a.expect(200, `{"cell":`+untried+`,"request":{"node":"orders","method":"POST","path":"/sync/orders"},"needs":[],"reads":[],"waterfall":null}`,
		"GET", "/api/v1/features/buy/sync", "")

	const trace = "0af7651916cd43dd8448eb211c80319c"
	now := time.Now()
	at := now.Add(-time.Second).UTC()
	a.hub.Observe(
		world.CallsSeen{At: now, Calls: []world.CallSeen{{Caller: "shoppers", Callee: "orders", Method: "POST", Path: "/sync/orders", Status: 502,
			Failed: true, Reason: "bus refused the connection", Start: at, Duration: 7 * time.Millisecond, TraceID: trace, SpanID: "00f067aa0ba902b7"}}},
		world.EventsSeen{At: now, Events: []world.EventSeen{{Stream: "orders", EntryID: "1-0", ID: "e-1", Source: "orders", Type: "order.placed.v1",
			Subject: "o/1", Time: at.Add(2 * time.Millisecond), TraceParent: "00-" + trace + "-b7ad6b7169203331-01"}}},
		world.NodeSeen{At: now, Node: "orders", State: world.Paused},
		world.Tick{At: now.Add(time.Second)},
	)
	a.expect(200, `"because":["orders"],"cost":{"services":1,"hops":1,"messages":1,"depth":1},"trace":"`+trace+`"`, "GET", "/api/v1/features", "")
	a.expect(200, `"waterfall":{"trace":"`+trace+`","took_ms":7,"failed":true,"cost":{"services":1,"hops":1,"messages":1,"depth":1},`+
		`"hops":[{"from":"shoppers","to":"orders","via":"","method":"POST","path":"/sync/orders","status":502,"failed":true,`+
		`"reason":"bus refused the connection","start_ms":0,"took_ms":7,"depth":1}],`+
		`"messages":[{"stream":"orders","type":"order.placed.v1","subject":"o/1","node":"orders","at_ms":2}],"at":"`+
		at.Format("2006-01-02T15:04:05.000Z")+`"}`, "GET", "/api/v1/features/buy/sync", "")
}

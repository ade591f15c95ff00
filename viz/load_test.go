package viz

import (
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strings"
	"testing"

	"github.com/stillup/stillup/viz/world"
)

func TestLoad(t *testing.T) {
	set := make(chan string, 1)
	shoppers := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `{"per_second":12.5,"patterns":{"sync":2},"features":{"buy":0.25},"dropped":3}`)
			return
		}
		b, _ := io.ReadAll(r.Body)
		set <- string(b)
		switch {
		case strings.Contains(string(b), `"sync":0`):
			w.WriteHeader(400)
			_, _ = io.WriteString(w, `{"detail":"some pattern must have a weight"}`)
		case strings.Contains(string(b), `"per_second":99`):
			w.WriteHeader(500)
		}
	}))
	f := newFake()
	f.urls["shoppers"] = shoppers.URL
	a := serve(t, f, "")
	a.expect(200, `{"per_second":12.5,"patterns":{"sync":2},"features":{"buy":0.25},"dropped":3}`, "POST", "/api/v1/load",
		`{"per_second":12.5,"patterns":{"sync":2},"features":{"buy":0.25}}`)
	if got := <-set; got != `{"per_second":12.5,"patterns":{"sync":2},"features":{"buy":0.25}}` {
		t.Errorf("shoppers got %s", got)
	}
	want := world.Load{PerSecond: 12.5, Known: true, Patterns: map[string]float64{"sync": 2}, Features: map[string]float64{"buy": 0.25}, Dropped: 3}
	frame := a.frame()
	if frame.Load == nil || !reflect.DeepEqual(*frame.Load, want) {
		t.Errorf("the world has %+v", frame.Load)
	}
	if n := frame.Notes; len(n) != 1 || n[0].Text != "asked for: load shoppers: 12.5 a second; patterns sync 2; features buy 25 %" {
		t.Errorf("notes %+v", n)
	}
	a.expect(200, "", "POST", "/api/v1/load", `{"per_second":0}`)
	if got := <-set; got != `{"per_second":0}` {
		t.Errorf("shoppers got %s", got)
	}
	a.expect(400, "some pattern must have a weight", "POST", "/api/v1/load", `{"patterns":{"sync":0}}`)
	<-set
	a.expect(502, "shoppers answered 500", "POST", "/api/v1/load", `{"per_second":99}`)
	<-set
	shoppers.Close()
	a.expect(502, "shoppers refused the connection", "POST", "/api/v1/load", `{"per_second":1}`)
	if n := a.frame().Notes; len(n) != 2 {
		t.Errorf("what was refused is told as done: %+v", n)
	}
}

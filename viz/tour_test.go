package viz

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/tour"
	"github.com/stillup/stillup/viz/world"
)

// TestTourLists: chapters, one of them, and the page that has them.
func TestTourLists(t *testing.T) {
	a, _, _ := walking(t)
	var got walkthroughAnswer
	if err := json.Unmarshal(a.expect(200, `"can":true,"why":""`, "GET", "/api/v1/walkthrough", ""), &got); err != nil {
		t.Fatal(err)
	}
	want := []chapterAnswer{{"stop", "Stop", "When orders is dead, nobody can buy.", 2, 7,
		[]string{"look", "kill", "start", "change", "forth", "faults", "heal"}}}
	if !reflect.DeepEqual(got.Chapters, want) || len(got.Glossary) != 1 || got.Glossary[0].Term != "pattern" {
		t.Errorf("%+v", got)
	}
	a.expect(200, `"do":["kill orders"],"until":["orders is down"],"within":1,"help":[]`, "GET", "/api/v1/walkthrough/stop", "")
	a.expect(404, `no chapter is called \"go\"; there are stop`, "GET", "/api/v1/walkthrough/go", "")
	a.expect(404, `stop has no step \"x\"; there are look, kill`, "GET", "/api/v1/walkthrough/stop/x/live", "")
	a.expect(405, "use POST", "GET", "/api/v1/walkthrough/leave", "")
	for path, status := range map[string]int{"/walkthrough": 200, "/walkthrough/stop": 200, "/walkthrough/summary": 200, "/walkthrough/glossary": 404} {
		a.expect(status, map[int]string{200: "<html", 404: "no chapter"}[status], "GET", path, "")
	}
	none := serve(t, newFake(), "")
	none.expect(200, `{"chapters":[],"glossary":[],"can":false,"why":"this system has no chapters`, "GET", "/api/v1/walkthrough", "")
	for _, path := range []string{"/walkthrough", "/walkthrough/summary", "/walkthrough/stop", "/api/v1/walkthrough/stop"} {
		none.expect(404, "no chapters", "GET", path, "")
	}
	none.expect(409, "no chapters", "POST", "/api/v1/walkthrough/leave", "")
	look := serveChapters(t, touring(), nil, "", chapters)
	look.expect(200, `"can":false,"why":"this dashboard watches`, "GET", "/api/v1/walkthrough", "")
	look.expect(409, "look but not touch", "POST", "/api/v1/walkthrough/stop/begin", "")
	look.expect(409, "look but not touch", "POST", "/api/v1/walkthrough/stop/kill/do", "")
}

// TestTourStep: a step waits, helps, is done on the world's word, and is the same for everybody; a deed that is so already is none.
func TestTourStep(t *testing.T) {
	a, f, _ := walking(t)
	a.used(t)
	a.hub.Observe(world.LoadSeen{At: time.Now(), PerSecond: 50})
	url := a.url + "/api/v1/walkthrough/stop/kill/live"
	resp, first := verdicts(t, url)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Errorf("%d %v", resp.StatusCode, resp.Header)
	}
	v := comes(t, "it waits", first, phase(tour.Waiting))
	if len(v.Conditions) != 1 || v.Conditions[0].Holds || v.Conditions[0].Sees == "" || a.stepDone("stop", "kill") {
		t.Errorf("%+v", v)
	}
	v = comes(t, "help", first, func(v tour.Verdict) bool { return len(v.Help) > 0 })
	if v.Help[0].Deed != "kill orders" {
		t.Errorf("the help is %+v", v.Help)
	}
	do := "/api/v1/walkthrough/stop/kill/do"
	a.expect(409, `does not have \"kill bus\" now`, "POST", do, `{"deed":"kill bus"}`)
	a.expect(400, "no deed", "POST", do, `{"deed":"dance"}`)
	a.expect(400, "unknown field", "POST", do, `{"deeds":"kill orders"}`)
	a.expect(409, "only to look", "POST", "/api/v1/walkthrough/stop/look/do", "")
	a.expect(200, `{"did":["killed orders"]}`, "POST", do, `{"deed":"kill orders"}`)
	a.expect(200, `{"did":[]}`, "POST", do, "")
	comes(t, "it settles", first, phase(tour.Settling))
	v = comes(t, "it is done", first, phase(tour.Done))
	if v.TookMS >= 1000 {
		t.Errorf("it took %v ms; a deed that changed nothing counts from the step's beginning", v.TookMS)
	}
	if len(v.Cells) != 2 || v.Cells[0].Answers || v.Cells[0].State != "fails" || v.Cells[0].Why != "Orders is asked." || v.After != "0 of 1 answer." ||
		v.Sum != "Without orders 0 answered." || v.TookMS <= 0 || !a.stepDone("stop", "kill") {
		t.Errorf("%+v", v)
	}
	_, second := verdicts(t, url)
	if also := <-second; !reflect.DeepEqual(also, v) {
		t.Errorf("a second listener has\n%+v\nthe first\n%+v", also, v)
	}
	f.mu.Lock()
	done := slices.Clone(f.done)
	f.mu.Unlock()
	if !slices.Equal(done, []string{"kill orders"}) {
		t.Errorf("done was %v", done)
	}
	for _, line := range []string{"verb=kill node=orders", `verb=step node="stop kill"`} {
		if log := a.log.String(); !strings.Contains(log, line) {
			t.Errorf("the log has no %s: %s", line, log)
		}
	}
	// The chapter begins again: who listens sees the step begin again.
	a.expect(200, `"started orders"`, "POST", "/api/v1/walkthrough/stop/begin", "")
	if again := comes(t, "it begins again", second, phase(tour.Waiting)); again.Conditions[0].Holds || again.After != "" || a.stepDone("stop", "kill") {
		t.Errorf("%+v", again)
	}
}

// TestTourDeeds: every kind of deed is done, once.
func TestTourDeeds(t *testing.T) {
	a, f, n := walking(t)
	a.expect(200, `{"did":["paused purchases","slowed orders by 30 ms","cut off shoppers","set the traffic to 5 a second"]}`,
		"POST", "/api/v1/walkthrough/stop/faults/do", "")
	a.expect(200, `{"did":[]}`, "POST", "/api/v1/walkthrough/stop/faults/do", "")
	a.expect(409, "purchases is paused; resume it first", "POST", "/api/v1/walkthrough/stop/forth/do", "")
	a.expect(200, `{"did":["resumed purchases","healed orders","healed shoppers","let tips join"]}`, "POST", "/api/v1/walkthrough/stop/heal/do", "")
	a.expect(200, `{"did":[]}`, "POST", "/api/v1/walkthrough/stop/heal/do", "")
	a.expect(200, `{"did":["reprice (o-1)"]}`, "POST", "/api/v1/walkthrough/stop/change/do", "")
	_, sent := verdicts(t, a.url+"/api/v1/walkthrough/stop/forth/live")
	if v := <-sent; v.Phase != tour.Waiting {
		t.Errorf("%+v", v)
	}
	a.expect(200, `{"did":["shape 2"]}`, "POST", "/api/v1/walkthrough/stop/forth/do", "")
	comes(t, "the job is done", sent, phase(tour.Done))
	n.mu.Lock()
	asked := strings.Join(n.asked, "\n")
	n.mu.Unlock()
	for _, want := range []string{`POST /load {"per_second":5}`, `PUT /things/o-1/price {"cents":5,`, "POST /jobs/forth"} {
		if strings.Count(asked, want) != 1 {
			t.Errorf("it was asked\n%s\nnot once %s", asked, want)
		}
	}
	if strings.Contains(asked, "{now}") || !strings.Contains(asked, `"why":"at `+time.Now().Format("15:")) {
		t.Errorf("the time is not told: %s", asked)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	want := []string{"pause purchases", "slow orders", "cut shoppers"}
	if !slices.Equal(f.done[:3], want) || len(f.done) != 8 {
		t.Errorf("done was %v", f.done)
	}
}

// TestTourBegins: a chapter puts all in order and says what that took; leaving puts back what was before.
func TestTourBegins(t *testing.T) {
	a, f, n := walking(t)
	for _, path := range []string{"orders/kill", "purchases/cut"} {
		a.expect(200, "", "POST", "/api/v1/nodes/"+path, "")
	}
	n.mu.Lock()
	n.shape = 2
	n.mu.Unlock()
	begin := "/api/v1/walkthrough/stop/begin"
	a.hub.Observe(world.LoadSeen{At: time.Now(), PerSecond: 50})
	a.expect(200, `{"did":["started orders","healed purchases","set the traffic to 20 a second","shape 1"]}`, "POST", begin, "")
	a.expect(200, `{"did":[]}`, "POST", begin, "")
	a.expect(404, "no chapter", "POST", "/api/v1/walkthrough/go/begin", "")
	a.expect(400, "no body", "POST", begin, `{"load":3}`)
	f.mu.Lock()
	done := slices.Clone(f.done)
	f.mu.Unlock()
	slices.Sort(done)
	if !slices.Equal(done, []string{"cut purchases", "heal purchases", "kill orders", "start orders"}) {
		t.Errorf("done was %v", done)
	}
	a.expect(200, `{"did":["set the traffic to 50 a second"]}`, "POST", "/api/v1/walkthrough/leave", "")
	a.expect(200, `{"did":[]}`, "POST", "/api/v1/walkthrough/leave", "")
	if log := a.log.String(); !strings.Contains(log, "verb=begin node=stop") || !strings.Contains(log, "verb=leave") {
		t.Errorf("the log: %s", log)
	}

	// One at a time: while a job is at work the next is told who.
	n.mu.Lock()
	n.hold = make(chan struct{})
	n.mu.Unlock()
	answered := make(chan []byte, 1)
	go func() {
		resp, err := http.Post(a.url+begin, "", nil)
		if err != nil {
			answered <- []byte(err.Error())
			return
		}
		defer resp.Body.Close()
		b, _ := io.ReadAll(resp.Body)
		answered <- b
	}()
	<-n.held
	for _, path := range []string{begin, "/api/v1/walkthrough/leave", "/api/v1/walkthrough/stop/start/do"} {
		a.expect(409, "the chapter stop is being begun, asked for from 127.0.0.1", "POST", path, "")
	}
	n.mu.Lock()
	close(n.hold)
	n.mu.Unlock()
	if b := <-answered; !strings.Contains(string(b), "set the traffic to 20") {
		t.Errorf("it was answered %s", b)
	}
}

// TestTourShares: what 300 listen to is made once, and who comes late has the newest alone.
func TestTourShares(t *testing.T) {
	a, _, _ := walking(t)
	c := a.tour.Chapters[0]
	var all []*walker
	for range 300 {
		l, err := a.walk.listen(c, &c.Steps[2])
		if err != nil {
			t.Fatal(err)
		}
		defer l.close()
		all = append(all, l)
	}
	next := func(l *walker) []byte {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		b, err := l.next(ctx)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	for !strings.Contains(string(next(all[0])), `"phase":"done"`) { // orders is up
	}
	text := next(all[1])
	for _, l := range all[2:] {
		if b := next(l); &b[0] != &text[0] || !strings.Contains(string(b), `"phase":"done"`) {
			t.Fatalf("one has %s", b)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	if b, err := all[1].next(ctx); err == nil {
		t.Errorf("the same is told twice: %s", b)
	}
}

// TestTourBounds: so many may listen, and who leaves makes room.
func TestTourBounds(t *testing.T) {
	a, _, _ := walking(t)
	a.walk.mu.Lock()
	a.walk.walkers = maxWalkers
	a.walk.mu.Unlock()
	a.expect(503, "2000 listen to steps already", "GET", "/api/v1/walkthrough/stop/look/live", "")
	a.walk.mu.Lock()
	a.walk.walkers--
	a.walk.mu.Unlock()
	a.expect(200, "", "HEAD", "/api/v1/walkthrough/stop/look/live", "")
}

// TestTourWorst: what a copy was behind at most counts from the chapter's beginning, for each chapter by itself.
func TestTourWorst(t *testing.T) {
	a, _, _ := walking(t)
	a.walk.mu.Lock()
	defer a.walk.mu.Unlock()
	behind := func(ms int64) []world.Holding {
		return []world.Holding{{Kind: "orders", Node: "orders-db", Copy: true, StaleMS: ms}, {Kind: "users", Node: "orders-db", Copy: true}}
	}
	is := func(what, chapter string, now, want int64) {
		t.Helper()
		worst := a.walk.worstWith(chapter, behind(now))
		if got := worst("orders", "orders-db"); got != want || worst("users", "orders-db") != 0 {
			t.Errorf("%s: %d, want %d", what, got, want)
		}
	}
	is("at first", "one", 5000, 5000)
	is("it is less", "one", 100, 5000)
	is("it is more", "one", 7000, 7000)
	is("another chapter", "two", 100, 100)
	a.walk.mu.Unlock()
	a.walk.begins("one")
	a.walk.mu.Lock()
	is("it begins again", "one", 200, 200)
}

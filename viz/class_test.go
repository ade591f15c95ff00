package viz

import (
	"encoding/json"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stillup/stillup/viz/class"
	"github.com/stillup/stillup/viz/tour"
)

// twoSteps is a walkthrough of two steps, the second of which asks.
func twoSteps() *tour.Tour {
	return &tour.Tour{Chapters: []*tour.Chapter{{ID: "copies", Title: "Copies", Steps: []tour.Step{
		{ID: "look", Title: "Look"},
		{ID: "stop", Title: "Stop", Predict: &tour.Predict{Ask: "Which will work?", Cells: []string{"buy in sync", "buy in copies"}}},
	}}}}
}

// opened is a class as its presenter knows it.
type opened struct{ ID, Key, Follow string }

func (a *api) class(step string, headers ...string) (c opened) {
	a.t.Helper()
	b := a.expect(200, `"follow":"/follow/`, "POST", "/api/v1/class", `{"chapter":"copies","step":"`+step+`"}`, headers...)
	if err := json.Unmarshal(b, &c); err != nil || len(c.ID) != 8 || len(c.Key) < 16 || c.Follow != "/follow/"+c.ID {
		a.t.Fatalf("%v: %s", err, b)
	}
	return c
}

// hear hears what a class tells until the test ends or leave is called.
func (a *api) hear(query string, headers ...string) (said <-chan class.Message, leave func()) {
	a.t.Helper()
	resp, said, leave := sent(a.t, a.url+"/api/v1/class/"+query, func(data string) (m class.Message, err error) {
		return m, json.Unmarshal([]byte(data), &m)
	}, headers...)
	if resp.StatusCode != 200 || resp.Header.Get("Content-Type") != "text/event-stream" {
		a.t.Fatalf("%s: %d %v", query, resp.StatusCode, resp.Header)
	}
	return said, leave
}

// hears waits until a message is as wanted, and says how many that took.
func hears(t *testing.T, what string, heard <-chan class.Message, is func(class.Message) bool) (n int) {
	t.Helper()
	late := time.After(time.Minute) // of a busy machine
	var last class.Message
	for {
		select {
		case m, ok := <-heard:
			if !ok {
				t.Fatalf("the stream ended before %s; last came %+v", what, last)
			}
			n++
			if last = m; is(m) {
				return n
			}
		case <-late:
			t.Fatalf("not heard: %s; last came %+v", what, last)
		}
	}
}

func TestClass(t *testing.T) {
	a := serveTour(t, system, newFake(), "", twoSteps())
	c := a.class("look")
	at, where := "/api/v1/class/"+c.ID, `"chapter":"copies","step":"stop"`
	guess := `{"who":"ada",` + where + `,"guess":{"buy in sync":false}}`
	for _, tc := range []struct {
		status              int
		words, method, path string
		body                string
	}{
		{403, "only the presenter", "PUT", at, `{"key":"` + c.Key + `x",` + where + `}`},
		{403, "only the presenter", "PUT", at, `{` + where + `}`},
		{403, "only the presenter", "DELETE", at, `{"key":"0123456789abcdef"}`},
		{403, "only the presenter", "GET", at + "/live?who=ada&key=none", ""},
		{403, "only the presenter", "POST", "/api/v1/class", `{"id":"` + c.ID + `","key":"0123456789abcdef",` + where + `}`},
		{404, "there is no class", "PUT", "/api/v1/class/zzzzzzzz", `{"key":"` + c.Key + `",` + where + `}`},
		{404, "there is no class", "DELETE", "/api/v1/class/zzzzzzzz", `{"key":"` + c.Key + `"}`},
		{404, "there is no class", "GET", "/api/v1/class/zzzzzzzz/live?who=ada", ""},
		{404, "there is no class", "POST", "/api/v1/class/zzzzzzzz/guess", guess},
		{400, "1 to 64 bytes", "GET", at + "/live", ""},
		{400, "1 to 64 bytes", "GET", at + "/live?who=" + strings.Repeat("a", 65), ""},
		{400, "unknown parameter", "GET", at + "/live?who=ada&name=ada", ""},
		{400, "give both or neither", "POST", "/api/v1/class", `{"id":"abcdefgh",` + where + `}`},
		{400, "not what is wanted", "POST", "/api/v1/class", `{"name":"mine"}`},
		{404, "; there are copies", "POST", "/api/v1/class", `{"chapter":"none","step":"stop"}`},
		{404, "; there are look, stop", "PUT", at, `{"key":"` + c.Key + `","chapter":"copies","step":"none"}`},
		{409, "at another step", "POST", at + "/guess", guess},
		{405, "use DELETE or PUT", "GET", at, ""},
		{200, where, "PUT", at, `{"key":"` + c.Key + `",` + where + `}`},
		{200, `{"guess":{"buy in sync":false}}`, "POST", at + "/guess", guess},
		{400, "there are buy in sync, buy in copies", "POST", at + "/guess", strings.ReplaceAll(guess, "sync", "bus")},
		{400, "there are buy in sync, buy in copies", "POST", at + "/guess", `{"who":"ada",` + where + `,"guess":{}}`},
		{400, "1 to 64 bytes", "POST", at + "/guess", `{` + where + `,"guess":{"buy in sync":true}}`},
		{400, "not what is wanted", "POST", at + "/guess", strings.ReplaceAll(guess, "false", `"no"`)},
		{200, "", "HEAD", at + "/live?who=ada", ""},
		{200, c.Key, "POST", "/api/v1/class", `{"id":"` + c.ID + `","key":"` + c.Key + `",` + where + `}`},
		{200, `{"chapter":"summary","step":""}`, "PUT", at, `{"key":"` + c.Key + `","chapter":"summary","step":""}`},
		{200, `{"chapter":"","step":""}`, "PUT", at, `{"key":"` + c.Key + `","chapter":"","step":""}`},
		{200, `{"chapter":"copies","step":"look"}`, "PUT", at, `{"key":"` + c.Key + `","chapter":"copies","step":"look"}`},
		{400, "nothing is asked", "POST", at + "/guess", strings.ReplaceAll(guess, "stop", "look")},
		{200, `{"ended":true}`, "DELETE", at, `{"key":"` + c.Key + `"}`},
		{404, "no class", "DELETE", at, `{"key":"` + c.Key + `"}`},
		{200, `"id":"abcdefgh"`, "POST", "/api/v1/class", `{"id":"abcdefgh","key":"0123456789abcdef",` + where + `}`},
	} {
		a.expect(tc.status, tc.words, tc.method, tc.path, tc.body)
	}
	if strings.Contains(a.log.String(), c.Key) {
		t.Error("the log tells a key")
	}
}

// TestClassDone: there is nothing to guess once what was asked is measured.
func TestClassDone(t *testing.T) {
	a := serveTour(t, system, newFake(), "", twoSteps())
	c := a.class("stop")
	guess := `{"who":"ada","chapter":"copies","step":"stop","guess":{"buy in sync":false}}`
	a.expect(200, "guess", "POST", "/api/v1/class/"+c.ID+"/guess", guess)
	a.walk.mu.Lock()
	a.walk.steps[stepKey{"copies", "stop"}] = &walked{verdict: tour.Verdict{Phase: tour.Done}}
	a.walk.mu.Unlock()
	a.expect(409, "the step is done", "POST", "/api/v1/class/"+c.ID+"/guess", guess)
	a.expect(404, "no class", "POST", "/api/v1/class/zzzzzzzz/guess", guess)
}

func TestClassFull(t *testing.T) {
	a := serveTour(t, system, newFake(), "", twoSteps())
	var c opened
	for range class.MaxClasses {
		c = a.class("look")
	}
	a.expect(503, "8 classes already", "POST", "/api/v1/class", `{"chapter":"copies","step":"look"}`)
	for i := range class.MaxFollowers {
		l, err := a.classes.Listen(c.ID, fmt.Sprint("f", i), "")
		if err != nil {
			t.Fatal(err)
		}
		defer l.Close()
	}
	a.expect(503, "1000 followers already", "GET", "/api/v1/class/"+c.ID+"/live?who=ada", "")
	a.expect(200, "", "HEAD", "/api/v1/class/"+c.ID+"/live?who=f7", "")
	a.expect(200, "", "HEAD", "/api/v1/class/"+c.ID+"/live?key="+c.Key, "")
	a.expect(200, "ended", "DELETE", "/api/v1/class/"+c.ID, `{"key":"`+c.Key+`"}`)
	a.class("look")
}

// TestClassLive: 300 follow and guess, all hear where the class goes, the presenter alone how they guess; messages are few.
func TestClassLive(t *testing.T) {
	const members = 300
	a := serveTour(t, system, newFake(), "", twoSteps())
	c := a.class("look")
	at := "/api/v1/class/" + c.ID
	presents, _ := a.hear(c.ID + "/live?who=p&key=" + c.Key)
	hears(t, "the first step", presents, func(m class.Message) bool { return m.Step == "look" && m.Followers == 0 && m.Spread != nil })
	heard, leaves := make([]<-chan class.Message, members), make([]func(), members)
	for i := range members {
		heard[i], leaves[i] = a.hear(fmt.Sprintf("%s/live?who=f%d", c.ID, i))
	}
	hears(t, "all of them", presents, func(m class.Message) bool { return m.Followers == members })
	a.expect(200, "stop", "PUT", at, `{"key":"`+c.Key+`","chapter":"copies","step":"stop"}`)
	begun := time.Now()
	for i := range members {
		hears(t, "the step that asks", heard[i], func(m class.Message) bool { return m.Step == "stop" && m.Spread == nil })
	}
	var guessing sync.WaitGroup
	for i := range members {
		guessing.Go(func() {
			a.expect(200, "guess", "POST", at+"/guess", fmt.Sprintf(`{"who":"f%d","chapter":"copies","step":"stop","guess":{"buy in sync":%t,"buy in copies":true}}`, i, i%3 == 0))
		})
	}
	guessing.Wait()
	n := hears(t, "all answers", presents, func(m class.Message) bool {
		return m.Answered == members && len(m.Spread) == 2 && m.Spread[0] == class.Cell{Cell: "buy in sync", Works: 100, Fails: 200} &&
			m.Spread[1] == class.Cell{Cell: "buy in copies", Works: 300}
	})
	if took := time.Since(begun); n > 2+int(took/(200*time.Millisecond)) {
		t.Errorf("%d messages in %v", n, took)
	}
	for _, leave := range leaves[1:] {
		leave()
	}
	hears(t, "all but one leave", presents, func(m class.Message) bool { return m.Followers == 1 && m.Answered == members })
	a.expect(200, "ended", "DELETE", at, `{"key":"`+c.Key+`"}`)
	for _, heard := range []<-chan class.Message{presents, heard[0]} {
		hears(t, "the end", heard, func(m class.Message) bool { return m.Ended })
		if m, open := <-heard; open {
			t.Errorf("after the end comes %+v", m)
		}
	}
}

// TestClassEnds: the end of the dashboard ends the streams of a class at once.
func TestClassEnds(t *testing.T) {
	a := serveTour(t, system, newFake(), "", twoSteps())
	c := a.class("look")
	heard, _ := a.hear(c.ID + "/live?who=ada")
	hears(t, "the first step", heard, func(m class.Message) bool { return m.Step == "look" })
	a.end()
	late := time.After(20 * time.Second)
	for {
		select {
		case _, open := <-heard:
			if !open {
				return
			}
		case <-late:
			t.Fatal("the stream goes on")
		}
	}
}

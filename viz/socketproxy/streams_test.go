package socketproxy

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// served serves the proxy until end is called, which checks that it ended in time.
func served(t *testing.T, o Options) (address string, end func()) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	o.Label, o.Log = label, slog.New(slog.DiscardHandler)
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- Serve(ctx, ln, o) }()
	over := false
	end = func() {
		if over {
			return
		}
		over = true
		cancel()
		select {
		case err := <-ended:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(grace + 3*time.Second):
			t.Error("the proxy did not end")
		}
		http.DefaultClient.CloseIdleConnections()
	}
	t.Cleanup(end)
	return "http://" + ln.Addr().String(), end
}

func get(t *testing.T, url string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { res.Body.Close() })
	return res
}

// TestEvents: those of the project come at once, and no others.
func TestEvents(t *testing.T) {
	e := newEngine(t)
	address, stop := served(t, Options{Socket: e.socket, Project: "shop"})
	res := get(t, address+"/v1.41/events?since=5&x=y&filters="+url.QueryEscape(`{"event":{"die":true}}`))
	want := "/v1.41/events" + narrowed(`{"event":{"die":true},"type":{"container":true,"network":true}}`, "&since=5")
	if got := e.takeReached(); len(got) != 1 || got[0].uri != want {
		t.Errorf("the engine was asked %v, want %s", got, want)
	}
	container := func(project string) string {
		return fmt.Sprintf(`{"Type":"container","Action":"die","Actor":{"ID":"x","Attributes":{%q:%q}}}`, projectLabel, project)
	}
	network := func(id string) string {
		return fmt.Sprintf(`{"Type":"network","Action":"connect","Actor":{"ID":%q,"Attributes":{"container":%q}}}`, netID, id)
	}
	unknown := strings.Repeat("e", 64)
	lines := bufio.NewScanner(res.Body)
	for range 2 { // the second time from what is known of the containers
		for _, dropped := range []string{container("another"), container(""), network(foreignID), network(plainID), network(unknown), network(""),
			`{"Type":"network","Action":"create","Actor":{"ID":"x","Attributes":{}}}`, `{"Type":"image","Actor":{"ID":"x"}}`} {
			e.stream <- dropped
		}
		for _, passed := range []string{container("shop"), network(ownID)} {
			e.stream <- passed
			if !lines.Scan() || lines.Text() != passed {
				t.Fatalf("received %s, %v; want %s", lines.Text(), lines.Err(), passed)
			}
		}
	}
	if got := e.takeAll(); len(got) != 4 {
		t.Errorf("containers are looked up once each; the engine was asked %v", got)
	}
	began := time.Now()
	stop()
	if took := time.Since(began); took > grace {
		t.Errorf("it took %s to end with a stream open", took)
	}
	select {
	case <-e.left:
	case <-time.After(20 * time.Second):
		t.Error("the engine still sends events to nobody")
	}
}

// TestLogsFollow: what is written is sent on at once, and a caller that leaves ends it.
func TestLogsFollow(t *testing.T) {
	e := newEngine(t)
	address, _ := served(t, Options{Socket: e.socket, Project: "shop"})
	res := get(t, address+"/v1.41/containers/users/logs?stdout=1&follow=1")
	for _, line := range []string{"one", "two"} {
		e.stream <- line
		b := make([]byte, len(line))
		if _, err := io.ReadFull(res.Body, b); err != nil || string(b) != line {
			t.Fatalf("received %q, %v; want %q", b, err, line)
		}
	}
	res.Body.Close()
	select {
	case <-e.left:
	case <-time.After(20 * time.Second):
		t.Error("the engine still sends logs to nobody")
	}
}

// TestEngineThatComesLater: without an engine it is said what to do; once it is there all goes on, and the project is learned.
func TestEngineThatComesLater(t *testing.T) {
	dir, err := os.MkdirTemp("", "engine")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	e := &engine{socket: filepath.Join(dir, "docker.sock"), stream: make(chan string), left: make(chan struct{}, 1)}
	address, _ := served(t, Options{Socket: e.socket, Self: "dddddddddddd"})
	for _, path := range []string{"/_ping", "/v1.41/containers/json"} {
		res := get(t, address+path)
		var said struct{ Message string }
		err := json.NewDecoder(res.Body).Decode(&said)
		if err != nil || res.StatusCode != http.StatusBadGateway || !strings.Contains(said.Message, e.socket) || !strings.Contains(said.Message, "mount") {
			t.Errorf("%s: %d %q, %v", path, res.StatusCode, said.Message, err)
		}
	}
	e.listen(t)
	if res := get(t, address+"/v1.41/containers/json"); res.StatusCode != http.StatusOK {
		t.Errorf("with the engine there: %s", res.Status)
	}
	if got := e.takeReached(); len(got) != 1 || !strings.Contains(got[0].uri, "project%3Dshop") {
		t.Errorf("the engine was asked %v", got)
	}
}

// TestProjectThatCannotBeLearned: the text says what to do.
func TestProjectThatCannotBeLearned(t *testing.T) {
	e := newEngine(t)
	for self, says := range map[string]string{
		"":        "--project",
		"laptop":  "knows no container by its host name",
		ownID:     "is another",
		"../info": "nor its own container",
	} {
		p := newProxy(Options{Socket: e.socket, Self: self, Label: label, Log: slog.New(slog.DiscardHandler)})
		w := httptest.NewRecorder()
		p.ServeHTTP(w, httptest.NewRequest("GET", "/v1.41/networks", nil))
		if w.Code != http.StatusBadGateway || !strings.Contains(w.Body.String(), says) || !strings.Contains(w.Body.String(), "--project") {
			t.Errorf("%q: %d %s; want %q", self, w.Code, w.Body, says)
		}
		p.engine.CloseIdleConnections()
	}
	if got := e.takeReached(); len(got) > 0 {
		t.Errorf("the engine was asked %v", got)
	}
}

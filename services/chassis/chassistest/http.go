package chassistest

import (
	"bytes"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"testing"
)

// Call sends a request on a connection of its own: in as JSON, a string as it is, nil as no body. It decodes the answer's
// JSON into out, unless that is nil, and returns the status; 0 where there is no answer or it cannot be decoded.
func Call(url, method, path string, in, out any) (status int) {
	var body bytes.Buffer
	if text, ok := in.(string); ok {
		body.WriteString(text)
	} else if in != nil {
		_ = json.NewEncoder(&body).Encode(in)
	}
	req, err := http.NewRequest(method, url+path, &body)
	if err != nil {
		return 0
	}
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0
	}
	defer resp.Body.Close()
	if out != nil && json.NewDecoder(resp.Body).Decode(out) != nil {
		return 0
	}
	return resp.StatusCode
}

// Get is [Call] with GET and no body.
func Get(url string, out any) (status int) { return Call(url, http.MethodGet, "", nil, out) }

// Body is the answer to a GET as it is; the test fails where that is not 200.
func Body(t testing.TB, url string) string {
	t.Helper()
	resp, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("%s: %d %v", url, resp.StatusCode, err)
	}
	return string(b)
}

// Unused is an address, host:port, that nobody listens on: for a service to be, or one that is dead.
func Unused(t testing.TB) string {
	t.Helper()
	l := listen(t)
	defer l.Close()
	return l.Addr().String()
}

// Silent is the address, host:port, of a server that takes connections and never answers, until the test ends.
func Silent(t testing.TB) string {
	t.Helper()
	l := listen(t)
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// listen accepts nothing; the kernel makes the connections.
func listen(t testing.TB) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}

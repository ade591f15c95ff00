package services

import (
	"encoding/json"
	"testing"

	"github.com/stillup/stillup/streams"
)

// TestKeep: the system file tells of each stream that is to last what its publisher keeps.
func TestKeep(t *testing.T) {
	var system struct {
		Streams []struct {
			Name      string
			Transient bool
			Keep      struct{ Entries, Bytes int64 }
		}
	}
	if err := json.Unmarshal(System, &system); err != nil {
		t.Fatal(err)
	}
	for _, s := range system.Streams {
		entries, bytes := int64(streams.MaxLen), int64(streams.MaxBytes)
		if s.Transient {
			entries, bytes = 0, 0
		}
		if s.Keep.Entries != entries || s.Keep.Bytes != bytes {
			t.Errorf("%s keeps %d entries and %d bytes, its publisher %d and %d", s.Name, s.Keep.Entries, s.Keep.Bytes, entries, bytes)
		}
	}
}

package world

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// ParseSystem reads and checks a system file; the error names what is wrong and where.
func ParseSystem(b []byte) (System, error) {
	var s System
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&s); err != nil {
		return System{}, fmt.Errorf("system file: line %d: %w", 1+bytes.Count(b[:d.InputOffset()], []byte("\n")), err)
	}
	if _, err := d.Token(); err != io.EOF {
		return System{}, fmt.Errorf("system file: line %d: something follows the system", 1+bytes.Count(b[:d.InputOffset()], []byte("\n")))
	}
	return s, nil
}

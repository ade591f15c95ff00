package chassis

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
)

// Digest is a fingerprint of a set of records: two sets have the same exactly if they hold the same records, in whatever
// order these were added. The zero value is that of the empty set.
type Digest struct {
	sum     [sha256.Size]byte
	records int64
}

// Add takes in one record, which is not in the set yet: its kind, its id, and what is known of it. The values have a JSON
// form.
func (d *Digest) Add(record ...any) error {
	text, err := json.Marshal(record)
	if err != nil {
		return fmt.Errorf("digest: %w", err)
	}
	carry := uint16(0)
	for i, b := range sha256.Sum256(text) { // a sum, so that no order matters
		carry += uint16(d.sum[i]) + uint16(b)
		d.sum[i] = byte(carry)
		carry >>= 8
	}
	d.records++
	return nil
}

// Records is how many were added.
func (d *Digest) Records() int64 { return d.records }

// String is the fingerprint, in 32 hexadecimal digits.
func (d *Digest) String() string { return hex.EncodeToString(d.sum[:16]) }

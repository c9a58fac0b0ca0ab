package policy

import (
	"database/sql/driver"
	"encoding/json"
	"errors"
	"fmt"
)

// Value stores e as its text.
func (e Effect) Value() (driver.Value, error) { return e.String(), nil }

// Scan reads what Value stored.
func (e *Effect) Scan(src any) error { return scan(src, e.UnmarshalText) }

// Value stores e as its text.
func (e Enforcement) Value() (driver.Value, error) { return e.String(), nil }

// Scan reads what Value stored.
func (e *Enforcement) Scan(src any) error { return scan(src, e.UnmarshalText) }

// Value stores l as JSON, {} for none.
func (l Limits) Value() (driver.Value, error) {
	if len(l) == 0 {
		return "{}", nil
	}
	b, err := json.Marshal(map[string][]string(l))
	return string(b), err
}

// Scan reads what Value stored.
func (l *Limits) Scan(src any) error {
	return scan(src, func(b []byte) error {
		var read map[string][]string
		if err := json.Unmarshal(b, &read); err != nil {
			return fmt.Errorf("read limits: %w", err)
		}
		if read == nil {
			return errors.New("policy: there are no limits to read")
		}
		*l = nil
		if len(read) > 0 {
			*l = read
		}
		return nil
	})
}

func scan(src any, read func([]byte) error) error {
	switch v := src.(type) {
	case string:
		return read([]byte(v))
	case []byte:
		return read(v)
	}
	return fmt.Errorf("policy: cannot read %T", src)
}

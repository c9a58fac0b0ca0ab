package policy

import (
	"database/sql/driver"
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

func scan(src any, read func([]byte) error) error {
	switch v := src.(type) {
	case string:
		return read([]byte(v))
	case []byte:
		return read(v)
	}
	return fmt.Errorf("policy: cannot read %T", src)
}

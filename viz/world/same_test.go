package world

import (
	"reflect"
	"testing"
	"time"
)

// TestSameNode: no field of a node can change without a frame that says so.
func TestSameNode(t *testing.T) {
	for i := range reflect.TypeFor[Node]().NumField() {
		var a, b Node
		f := reflect.ValueOf(&b).Elem().Field(i)
		switch f.Interface().(type) {
		case time.Time:
			f.Set(reflect.ValueOf(time.Unix(1, 0)))
		case Outbox:
			f.Set(reflect.ValueOf(Outbox{More: true}))
		case *Use:
			f.Set(reflect.ValueOf(&Use{CPU: 0.5}))
		case []Replica:
			f.Set(reflect.ValueOf([]Replica{{ID: "1"}}))
		case []Fault:
			f.Set(reflect.ValueOf([]Fault{{Kind: FaultCut}}))
		case []Hold:
			f.Set(reflect.ValueOf([]Hold{{Kind: "orders"}}))
		case []string:
			f.Set(reflect.ValueOf([]string{"kill"}))
		default:
			switch f.Kind() {
			case reflect.String:
				f.SetString("x")
			case reflect.Bool:
				f.SetBool(true)
			case reflect.Float64:
				f.SetFloat(1)
			default:
				t.Fatalf("no other value for a %s", f.Type())
			}
		}
		if name := reflect.TypeFor[Node]().Field(i).Name; a.same(&b) || !b.same(&b) {
			t.Errorf("%s makes no difference", name)
		}
	}
}

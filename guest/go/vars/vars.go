// Package vars keeps variables. They last as long as the instance: where every call has one of its own,
// they are there for that call only.
package vars

import "github.com/extism/go-pdk"

// Get is the value of a variable, if it is set.
func Get(key string) (value []byte, found bool) {
	value = pdk.GetVar(key)
	return value, value != nil
}

// Set sets a variable; a value of no bytes removes it.
func Set(key string, value []byte) {
	if len(value) == 0 {
		pdk.RemoveVar(key)
		return
	}
	pdk.SetVar(key, value)
}

// Remove removes a variable.
func Remove(key string) {
	pdk.RemoveVar(key)
}

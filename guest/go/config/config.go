// Package config is configuration, as ubiq.toml has it.
package config

import "github.com/extism/go-pdk"

// Get is the value of a key, which must not be empty, if it is set to something.
func Get(key string) (value string, found bool) {
	return pdk.GetConfig(key)
}

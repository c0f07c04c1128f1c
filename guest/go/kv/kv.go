// Package kv is key-value storage, shared by the functions of a project.
package kv

import (
	"strconv"
	"time"

	"ubiq/internal/host"
)

// Forever is the time to live of keys that stay.
const Forever time.Duration = 0

// milliseconds are what the host counts; what is not Forever does not become it.
func milliseconds(ttl time.Duration) int64 {
	if ttl > 0 && ttl < time.Millisecond {
		return 1
	}
	return ttl.Milliseconds()
}

// Get is the value of a key, if it is there.
func Get(key string) (value []byte, found bool, err error) {
	return host.BytesIfThere(host.Block(key, host.KVGet))
}

// Set sets a key; it is on disk once this returns.
func Set(key string, value []byte, ttl time.Duration) error {
	return host.Done(host.Blocks(key, value, func(k, v uint64) int64 {
		return host.KVSet(k, v, milliseconds(ttl))
	}))
}

// SetIfAbsent sets a key that is not there. Whether it was set.
func SetIfAbsent(key string, value []byte, ttl time.Duration) (bool, error) {
	return host.Bool(host.Blocks(key, value, func(k, v uint64) int64 {
		return host.KVSetIfAbsent(k, v, milliseconds(ttl))
	}))
}

// CompareAndSet sets a key whose value is the expected one. Whether it was set.
func CompareAndSet(key string, expected, value []byte, ttl time.Duration) (bool, error) {
	return host.Bool(host.Block(key, func(k uint64) int64 {
		return host.Blocks(expected, value, func(e, v uint64) int64 {
			return host.KVCompareAndSet(k, e, v, milliseconds(ttl))
		})
	}))
}

// Increment adds to the decimal number that a key has; one that is not there counts as 0. The new number.
func Increment(key string, delta int64) (int64, error) {
	number, err := host.Bytes(host.Block(key, func(k uint64) int64 { return host.KVIncrement(k, delta) }))
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(string(number), 10, 64)
}

// Delete deletes a key. Whether it was there.
func Delete(key string) (bool, error) {
	return host.Bool(host.Block(key, host.KVDelete))
}

// Page is a part of a list of keys.
type Page struct {
	Keys []string `json:"keys"`
	Next string   `json:"next"` // what the next page's after is; "" when there is none
}

// List has the keys that begin with a prefix, behind after ("" for the beginning), in the order of their
// bytes; at most limit of them.
func List(prefix, after string, limit int) (Page, error) {
	var page Page
	err := host.JSON(host.Blocks(prefix, after, func(p, a uint64) int64 {
		return host.KVList(p, a, int64(limit))
	}), &page)
	return page, err
}

package main

import "ubiq"

//go:wasmexport handle
func handle() int32 { return ubiq.Handle(greet) }

// Greets whom the request's body names.
func greet(name []byte) ([]byte, error) {
	if len(name) == 0 {
		name = []byte("world")
	}
	return []byte("Hello, " + string(name) + "!\n"), nil
}

func main() {}

// Package ubiq makes functions for Ubiquitous, on top of Extism's go-pdk:
//
//	package main
//
//	import "ubiq"
//
//	//go:wasmexport handle
//	func handle() int32 { return ubiq.Handle(greet) }
//
//	func greet(input []byte) ([]byte, error) {
//		return append([]byte("Hello, "), input...), nil
//	}
//
//	func main() {}
//
// The input is the body of a request (or an event: see package events), the output is the body of the
// response. The export "handle" takes all requests, events, and what else a function can be called for.
// Exports named as HTTP methods ("GET") in its place, or beside it, take the requests: those with these
// methods, and no others. What functions use is in packages of their own: ubiq/kv, ubiq/storage,
// ubiq/events, ubiq/http, ubiq/config, ubiq/log, ubiq/trace, ubiq/response, ubiq/vars.
package ubiq

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/extism/go-pdk"

	"ubiq/internal/host"
)

// Code says what kind of error it is: errors.Is(err, ubiq.Denied).
type Code = host.Code

const (
	NotFound    = host.NotFound    // no such key, path, function or field
	Denied      = host.Denied      // the function's permissions in ubiq.toml do not cover it
	Invalid     = host.Invalid     // an argument is not what it must be
	TooLarge    = host.TooLarge    // larger than the project allows
	OverQuota   = host.OverQuota   // the project has used up what it may store or ask for
	Conflict    = host.Conflict    // what is stored is not of the kind that was expected
	Timeout     = host.Timeout     // it took too long
	Unavailable = host.Unavailable // the service cannot do it now
	Busy        = host.Busy        // too much is asked for at once; try again later
)

// Error says why a service did not do what it was asked for.
type Error = host.Error

// Handle calls a handler with the input and makes its result the output. What it gives back is what an
// export has to give back. An error, or a panic, ends the call with its text.
func Handle(handler func(input []byte) ([]byte, error)) (code int32) {
	defer func() {
		if problem := recover(); problem != nil {
			pdk.SetErrorString(fmt.Sprint("panic: ", problem))
			code = 1
		}
	}()
	output, err := handler(pdk.Input())
	if err != nil {
		pdk.SetError(err)
		return 1
	}
	if len(output) > 0 {
		pdk.Output(output)
	}
	return 0
}

// HandleJSON calls a handler whose input and output are JSON.
func HandleJSON[I, O any](handler func(input I) (O, error)) int32 {
	return Handle(func(data []byte) ([]byte, error) {
		var input I
		if err := json.Unmarshal(data, &input); err != nil {
			return nil, fmt.Errorf("the input: %w", err)
		}
		output, err := handler(input)
		if err != nil {
			return nil, err
		}
		return json.Marshal(output)
	})
}

// Invoke calls another function of the project; what it gives back.
func Invoke(function string, input []byte) ([]byte, error) {
	return host.Bytes(host.Blocks(function, input, host.Invoke))
}

// Request is what the function is called for. The body is the handler's input.
type Request struct {
	ID      string            `json:"id"`
	Trigger string            `json:"trigger"` // "http", "event", "cron" or "invoke"; but for "http", the rest is empty
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	URL     string            `json:"url"`     // the path with the query as it came
	Route   string            `json:"route"`   // "/users/:id"
	Params  map[string]string `json:"params"`  // of the route
	Query   map[string]string `json:"query"`   // of a name that came more than once, the first value
	Headers map[string]string `json:"headers"` // by name in lower case

	// What middleware has found out.
	Claims    map[string]any `json:"claims"`
	APIKey    string         `json:"api_key"`
	RequestID string         `json:"request_id"`
	Context   map[string]any `json:"context"` // what functions as middleware said, by their names
}

// Header is a header's value, whatever the case of its name; "" when there is none.
func (r *Request) Header(name string) string {
	return r.Headers[strings.ToLower(name)]
}

// GetRequest tells what the function is called for.
func GetRequest() (*Request, error) {
	r := new(Request)
	if err := host.JSON(host.Request(), r); err != nil {
		return nil, err
	}
	return r, nil
}

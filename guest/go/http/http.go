// Package http asks other hosts. One that cannot be reached, that is not allowed or that takes too long
// ends the call with an error, as on any Extism host.
package http

import (
	"strings"

	"github.com/extism/go-pdk"
)

// Request is what is sent.
type Request struct {
	Method  string // GET by default
	URL     string
	Headers map[string]string
	Body    []byte
}

// Response is what came back.
type Response struct {
	Status  int
	Headers map[string]string // by name in lower case
	Body    []byte
}

// Header is a header's value, whatever the case of its name; "" when there is none.
func (r *Response) Header(name string) string {
	for other, value := range r.Headers {
		if strings.EqualFold(other, name) {
			return value
		}
	}
	return ""
}

var methods = map[string]pdk.HTTPMethod{
	"": pdk.MethodGet, "GET": pdk.MethodGet, "HEAD": pdk.MethodHead, "POST": pdk.MethodPost,
	"PUT": pdk.MethodPut, "PATCH": pdk.MethodPatch, "DELETE": pdk.MethodDelete,
	"CONNECT": pdk.MethodConnect, "OPTIONS": pdk.MethodOptions, "TRACE": pdk.MethodTrace,
}

// Send sends a request and waits for its response. It panics when there is no such method.
func Send(r Request) Response {
	method, known := methods[r.Method]
	if !known {
		panic("there is no HTTP method " + r.Method)
	}
	request := pdk.NewHTTPRequest(method, r.URL)
	for name, value := range r.Headers {
		request.SetHeader(name, value)
	}
	if len(r.Body) > 0 {
		request.SetBody(r.Body)
	}
	response := request.Send()
	return Response{
		Status:  int(response.Status()),
		Headers: response.Headers(),
		Body:    response.Body(),
	}
}

// Get fetches a URL.
func Get(url string) Response {
	return Send(Request{URL: url})
}

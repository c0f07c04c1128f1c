// Package response says what is answered besides the handler's output.
package response

import "ubiq/internal/host"

// Status sets the status, which is 200 if nobody does.
func Status(status int) error {
	return host.Done(host.ResponseStatus(int32(status)))
}

// Header sets a header; one that is set twice is sent twice.
func Header(name, value string) error {
	return host.Done(host.Blocks(name, value, host.ResponseHeader))
}

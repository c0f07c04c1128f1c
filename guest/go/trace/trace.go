// Package trace adds to the trace of an invocation.
package trace

import "ubiq/internal/host"

// Attribute sets an attribute.
func Attribute(key, value string) error {
	return host.Done(host.Blocks(key, value, host.TraceAttribute))
}

// Event notes an event, with attributes, which may be nil.
func Event(name string, attributes map[string]any) error {
	data, err := host.Attributes(attributes)
	if err != nil {
		return err
	}
	return host.Done(host.Blocks(name, data, host.TraceEvent))
}
